{
    'name': "Debiteurenbeheer: Direct Debit by Payment Methods",
    'summary': "What is collected by OCA's account_payment_mandate and account_payment_batch_oca is not reminded",
    'version': '19.0.1.0.0',
    'category': 'Accounting/Accounting',
    'author': "Debiteurenbeheer contributors",
    'website': "https://github.com/debiteurenbeheer/l10n_nl_dunning",
    'license': 'LGPL-3',
    'depends': ['l10n_nl_dunning', 'l10n_nl_dunning_debit_order', 'account_payment_mandate'],
    'auto_install': ['l10n_nl_dunning', 'account_payment_mandate'],
}
