"""The time machine shows one day: what it kept of a period with two ladders goes.

Its records are transient. The views that are no more name fields that are no more, and core deletes them only after all
files are loaded.
"""

from odoo.tools import SQL

TABLES = ('dunning_time_machine_row', 'dunning_time_machine_level', 'dunning_time_machine')
VIEWS = (
    'dunning_time_machine_row_view_graph', 'dunning_time_machine_row_view_pivot', 'dunning_time_machine_comparison')


def migrate(cr, version):
    for table in TABLES:
        cr.execute("SELECT to_regclass(%s)", [table])
        if cr.fetchone()[0]:
            cr.execute(SQL("DELETE FROM %s", SQL.identifier(table)))
    cr.execute(
        "DELETE FROM ir_model_data WHERE module = 'l10n_nl_dunning' AND model = 'ir.ui.view' AND name = ANY(%s)"
        " RETURNING res_id", [list(VIEWS)])
    views = [row[0] for row in cr.fetchall()]
    cr.execute("DELETE FROM ir_ui_view WHERE id = ANY(%s)", [views])
