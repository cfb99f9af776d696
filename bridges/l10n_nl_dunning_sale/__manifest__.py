{
    'name': "Debiteurenbeheer: Sales",
    'summary': "Quotations and orders show how the customer pays, and wait for release where the credit policy says so",
    'version': '19.0.1.1.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning', 'sale'],
    'data': [
        'security/dunning_sale_security.xml',
        'security/ir.model.access.csv',
        'data/mail_activity_type_data.xml',
        'views/dunning_policy_views.xml',
        'views/dunning_credit_release_views.xml',
        'views/res_users_views.xml',
        'views/sale_order_views.xml',
        'views/sale_portal_templates.xml',
    ],
    'assets': {
        'web.assets_tests': [
            'l10n_nl_dunning_sale/static/tests/tours/**/*',
        ],
    },
    'auto_install': True,
}
