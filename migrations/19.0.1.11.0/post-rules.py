"""What was agreed or taken back about several companies of one creditor is for who works for all of them."""

OLD = "[('company_id', 'in', company_ids)]"
NEW = (
    "[('company_id', 'in', company_ids), "
    "('%sline_ids', 'not any', [('move_line_id.company_id', 'not in', company_ids)])]")
RULES = {
    'dunning_withdrawal_comp_rule': '', 'dunning_promise_comp_rule': '', 'dunning_arrangement_comp_rule': '',
    'dunning_promise_line_comp_rule': 'promise_id.', 'dunning_arrangement_line_comp_rule': 'arrangement_id.',
    'dunning_arrangement_instalment_comp_rule': 'arrangement_id.',
}


def migrate(cr, version):
    """Narrow the rules that nobody changed: they are not written again by an update."""
    for name, path in RULES.items():
        cr.execute(
            """
            UPDATE ir_rule rule SET domain_force = %s
              FROM ir_model_data data
             WHERE data.module = 'l10n_nl_dunning' AND data.name = %s AND data.model = 'ir.rule'
               AND rule.id = data.res_id AND rule.domain_force = %s
            """, (NEW % path, name, OLD))
