{
    'name': "Debiteurenbeheer: eCommerce",
    'summary': "A customer whose order waits for release reads in the shop that it will be confirmed",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'website': "https://github.com/debiteurenbeheer/l10n_nl_dunning",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning_sale', 'website_sale'],
    'data': [
        'views/templates.xml',
    ],
    'auto_install': True,
}
