{
    'name': "Debiteurenbeheer: Sale Financial Risk",
    'summary': "What the credit policy holds or a credit manager released is not asked again by OCA's financial risk",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'website': "https://github.com/debiteurenbeheer/l10n_nl_dunning",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning_sale', 'sale_financial_risk'],
    'auto_install': True,
}
