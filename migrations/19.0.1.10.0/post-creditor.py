"""A head office and its branches are one creditor: facts are asked of all of them, and each debtor has one of each.

Who the creditor is is a stored field of the company, so records of branches stay as they are. What a debtor can have
once is settled: settings, the page and the ladder.
"""

from odoo import SUPERUSER_ID, api

RULES = {
    'dunning_notice_comp_rule': "['|', ('company_id', 'in', company_ids), ('shared_company_ids', 'in', company_ids)]",
    **dict.fromkeys(
        ('dunning_behaviour_comp_rule', 'dunning_page_comp_rule', 'dunning_page_request_comp_rule'),
        "[('company_id.dunning_branch_ids', 'in', company_ids)]"),
}
OLD_RULE = "[('company_id', 'in', company_ids)]"


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.flush_all()  # who the creditor of each company is
    env.registry.clear_cache()
    _widen_rules(cr)
    # The item says to whom it is owed; until now that was the company of its notice.
    cr.execute("""
        UPDATE dunning_notice_line line SET company_id = item.company_id
          FROM account_move_line item WHERE item.id = line.move_line_id AND item.company_id <> line.company_id
    """)
    cr.execute("SELECT id FROM res_company WHERE dunning_creditor_id <> id")
    branches = [branch for (branch,) in cr.fetchall()]
    if not branches:
        return
    # Pages: the first of a debtor becomes that of the creditor, where it had none. The keys of the others lead there.
    cr.execute("""
        UPDATE dunning_page page SET company_id = company.dunning_creditor_id
          FROM res_company company
         WHERE company.id = page.company_id AND company.dunning_creditor_id <> company.id
           AND page.id = (SELECT MIN(other.id)
                            FROM dunning_page other JOIN res_company owner ON owner.id = other.company_id
                           WHERE other.partner_id = page.partner_id
                             AND owner.dunning_creditor_id = company.dunning_creditor_id)
           AND NOT EXISTS (
               SELECT FROM dunning_page own
                WHERE own.partner_id = page.partner_id AND own.company_id = company.dunning_creditor_id)
    """)
    cr.execute("""
        UPDATE dunning_page_request request SET company_id = page.company_id
          FROM dunning_page page WHERE page.id = request.page_id AND request.company_id <> page.company_id
    """)
    # 14-day letters: what was owed to another branch could have been claimed with it, and nobody looked. Of its own
    # company it is known, or as before it is taken, that the others had a reason.
    cr.execute("""
        UPDATE dunning_notice notice SET apart_data = COALESCE(notice.apart_data, '{}') || COALESCE((
                   SELECT JSONB_OBJECT_AGG(item.id, 'unknown')
                     FROM account_move_line item JOIN res_partner partner ON partner.id = item.partner_id
                    WHERE partner.commercial_partner_id = notice.partner_id AND item.company_id = notice.company_id
                      AND item.balance > 0 AND notice.apart_data IS NULL
                      AND NOT EXISTS (SELECT FROM dunning_notice_line line
                                       WHERE line.notice_id = notice.id AND line.move_line_id = item.id)), '{}')
          FROM res_company company
         WHERE company.id = notice.company_id AND notice.legal_role = 'fourteen_day' AND notice.state = 'sent'
           AND EXISTS (
               SELECT FROM account_move_line item JOIN res_partner partner ON partner.id = item.partner_id
                 JOIN res_company other ON other.id = item.company_id
                WHERE partner.commercial_partner_id = notice.partner_id AND item.reconciled IS NOT TRUE
                  AND other.id <> company.id AND other.dunning_creditor_id = company.dunning_creditor_id)
    """)
    # Worked out anew every night, for the creditor.
    cr.execute("DELETE FROM dunning_behaviour WHERE company_id = ANY(%s)", (branches,))
    # What is about a debtor is chosen by the creditor.
    companies = env['res.company'].with_context(active_test=False).browse(branches)
    companies._copy_dunning_settings()
    for creditor in companies.dunning_creditor_id:
        env['res.partner']._merge_dunning_settings(creditor)


def _widen_rules(cr):
    """Give rules that nobody changed their new condition: they are not written again by an update."""
    for name, domain in RULES.items():
        cr.execute(
            """
            UPDATE ir_rule rule SET domain_force = %s
              FROM ir_model_data data
             WHERE data.module = 'l10n_nl_dunning' AND data.name = %s AND data.model = 'ir.rule'
               AND rule.id = data.res_id AND rule.domain_force = %s
         RETURNING rule.id
            """, (domain, name, OLD_RULE))
        if cr.rowcount and name == 'dunning_notice_comp_rule':
            cr.execute(
                "UPDATE ir_rule SET perm_write = FALSE, perm_create = FALSE, perm_unlink = FALSE WHERE id = %s",
                cr.fetchone())
