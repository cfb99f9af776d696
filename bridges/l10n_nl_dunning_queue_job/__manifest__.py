{
    'name': "Debiteurenbeheer: Job Queue",
    'summary': "Reminders are sent by the jobs of OCA's queue_job, on as many machines as it runs on",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning', 'queue_job'],
    'data': [
        'data/queue_job_data.xml',
    ],
    'auto_install': True,
}
