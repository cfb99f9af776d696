{
    'name': "Debiteurenbeheer: Direct Debit",
    'summary': "What is collected by OCA's mandates and payment orders is not reminded",
    'version': '19.0.1.1.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'website': "https://github.com/debiteurenbeheer/l10n_nl_dunning",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning', 'l10n_nl_dunning_debit_order', 'account_banking_mandate'],
    'auto_install': ['l10n_nl_dunning', 'account_banking_mandate'],
}
