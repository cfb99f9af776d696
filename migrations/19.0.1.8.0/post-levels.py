"""An invoice that is owed no more has no level: those that were reset or cancelled after a reminder kept theirs."""


def migrate(cr, version):
    cr.execute("""
        UPDATE account_move SET dunning_level_id = NULL WHERE dunning_level_id IS NOT NULL AND state <> 'posted'
    """)
