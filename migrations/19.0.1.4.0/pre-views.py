"""Delete the views that are part of another view now.

Each form of ours was one view with extensions; the extensions were merged into it. Core deletes what a data file names
no more only after all files are loaded, and until then the old extensions would be applied to the new view: they look
for nodes they changed already, and the upgrade stops.

A view somebody made that extends one of them is attached to the view that took its place, which holds the same nodes.
Core warns at the end of the upgrade about a view of that kind which does not apply ("invalid custom view(s)").
"""

from odoo.tools import SQL

#: The view that stays: what was merged into it.
MERGED = {
    'account_move_line_view_list': (
        'account_move_line_view_list_arrangement',
        'account_move_line_view_list_hold',
        'account_move_line_view_list_prescription',
        'account_move_line_view_list_promise',
        'account_move_line_view_list_why',
    ),
    'account_move_line_view_search': ('account_move_line_view_search_prescription',),
    'dunning_arrangement_view_form': ('dunning_arrangement_view_form_sign',),
    'dunning_debtor_view_list': ('dunning_debtor_view_list_arrangement',),
    'dunning_debtor_view_search': ('dunning_debtor_view_search_arrangement',),
    'dunning_level_view_form': (
        'dunning_level_view_form_delivery',
        'dunning_policy_view_form_call',
    ),
    'dunning_notice_view_form': (
        'dunning_notice_view_form_booking',
        'dunning_notice_view_form_call',
        'dunning_notice_view_form_delivery',
        'dunning_notice_view_form_dossier',
        'dunning_notice_view_form_gate',
        'dunning_notice_view_form_hold',
        'dunning_notice_view_form_proposal',
        'dunning_notice_view_form_withdrawal',
    ),
    'dunning_notice_view_list': (
        'dunning_notice_view_list_delivery',
        'dunning_notice_view_list_proposal',
        'dunning_notice_view_list_withdrawal',
    ),
    'dunning_notice_view_search': (
        'dunning_notice_view_search_delivery',
        'dunning_notice_view_search_proposal',
        'dunning_notice_view_search_withdrawal',
    ),
    'dunning_policy_view_form': (
        'dunning_policy_view_form_gate',
        'dunning_policy_view_form_hold',
        'dunning_policy_view_form_proposal',
        'dunning_policy_view_form_withdrawal',
    ),
    'dunning_retention_view_form': ('dunning_retention_view_form_arrangement',),
    'dunning_retention_view_list': ('dunning_retention_view_list_arrangement',),
    'dunning_send_view_form': (
        'dunning_send_view_form_caution',
        'dunning_send_view_form_delivery',
        'dunning_send_view_form_gate',
        'dunning_send_view_form_stopped',
    ),
    'mail_payment': ('mail_payment_page',),
    'res_config_settings_view_form': (
        'res_config_settings_view_form_arrangement_follow',
        'res_config_settings_view_form_arrangement_limit',
        'res_config_settings_view_form_arrangement_retention',
        'res_config_settings_view_form_arrangement_sign',
        'res_config_settings_view_form_booking',
        'res_config_settings_view_form_breaker',
        'res_config_settings_view_form_caution',
        'res_config_settings_view_form_gate',
        'res_config_settings_view_form_page',
        'res_config_settings_view_form_prescription',
        'res_config_settings_view_form_promise',
        'res_config_settings_view_form_queue',
        'res_config_settings_view_form_retention',
        'res_config_settings_view_form_worklist',
    ),
    'view_account_invoice_filter': ('view_account_invoice_filter_prescription',),
    'view_move_form': (
        'account_move_view_form_arrangement',
        'account_move_view_form_booking',
        'account_move_view_form_promise',
        'view_move_form_call',
        'view_move_form_hold',
        'view_move_form_prescription',
        'view_move_form_why',
    ),
    'view_partner_form': (
        'res_partner_view_form_arrangement',
        'res_partner_view_form_dunning_page',
        'res_partner_view_form_promise',
        'view_partner_form_call',
        'view_partner_form_caution',
        'view_partner_form_delivery',
        'view_partner_form_hold',
        'view_partner_form_why',
        'view_partner_form_worklist',
    ),
    'view_res_partner_filter': ('view_res_partner_filter_delivery',),
}


def migrate(cr, version):
    if not version:
        return
    for kept, merged in MERGED.items():
        cr.execute(SQL(
            """
            WITH gone AS (
                DELETE FROM ir_model_data
                      WHERE module = 'l10n_nl_dunning' AND model = 'ir.ui.view' AND name IN %(merged)s
                  RETURNING res_id
            ), attached AS (
                UPDATE ir_ui_view v
                   SET inherit_id = kept.res_id
                  FROM ir_model_data kept
                 WHERE kept.module = 'l10n_nl_dunning' AND kept.model = 'ir.ui.view' AND kept.name = %(kept)s
                   AND v.inherit_id IN (SELECT res_id FROM gone)
            )
            SELECT res_id FROM gone
            """,
            kept=kept, merged=merged))
        if ids := tuple(row[0] for row in cr.fetchall()):
            cr.execute(SQL("DELETE FROM ir_ui_view WHERE id IN %s", ids))
    # A button of this list, "Approve…" in an extension, was "Approve" in the list itself. Core takes the one for the
    # other and would keep the old Dutch; without any, nl.po is read.
    cr.execute(
        """
        UPDATE ir_ui_view
           SET arch_db = arch_db - ARRAY['nl_BE', 'nl_NL']
         WHERE id = (SELECT res_id
                       FROM ir_model_data
                      WHERE module = 'l10n_nl_dunning' AND model = 'ir.ui.view' AND name = 'dunning_notice_view_list')
        """)
