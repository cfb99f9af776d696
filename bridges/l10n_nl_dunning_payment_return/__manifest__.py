{
    'name': "Debiteurenbeheer: Payment Returns",
    'summary': "What a bank returned, as OCA's account_payment_return reads it, is reminded in friendly words",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning', 'account_payment_return'],
    'auto_install': True,
}
