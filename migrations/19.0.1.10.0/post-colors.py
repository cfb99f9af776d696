"""One scale of colours from calm to serious: light blue, yellow, orange, red, dark purple; calls are blue.

Only of the levels that ship, where nobody chose another colour.
"""


def migrate(cr, version):
    cr.execute("""
        UPDATE dunning_level level
           SET color = CASE WHEN level.color = 10 THEN 4 WHEN level.color = 9 THEN 5 ELSE 7 END
          FROM ir_model_data data
         WHERE data.model = 'dunning.level' AND data.module = 'l10n_nl_dunning' AND data.res_id = level.id
           AND (level.color IN (9, 10) OR level.color = 4 AND data.name = 'level_business_call')
    """)
