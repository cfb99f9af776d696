{
    'name': "Debiteurenbeheer: CRM",
    'summary': "Leads and opportunities show the dunning level of the customer",
    'version': '19.0.1.1.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning', 'crm'],
    'data': [
        'views/crm_lead_views.xml',
    ],
    'auto_install': True,
}
