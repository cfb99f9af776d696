{
    'name': "Debiteurenbeheer: Debit Orders",
    'summary': "What the bridges to OCA's mandates and payment orders share",
    'version': '19.0.1.0.0',
    'category': 'Hidden',
    'author': "Debiteurenbeheer contributors",
    'website': "https://github.com/debiteurenbeheer/l10n_nl_dunning",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning'],
}
