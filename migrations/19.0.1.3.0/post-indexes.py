"""Drop the indexes that are declared no more; core keeps what it does not expect."""

from odoo.tools import SQL

DROPPED = (
    'account_move__dunning_notice_id_index',
    'account_move__dunning_policy_id_index',
    'res_partner__dunning_policy_id_index',
    'res_partner__dunning_review_index',
    'res_partner__dunning_term_agreed_index',
    'res_partner__dunning_user_id_index',
    'res_partner__dunning_waive_costs_index',
    'res_partner__dunning_waive_interest_index',
    'res_partner__dunning_waive_reason_index',
)


def migrate(cr, version):
    if not version:
        return
    for name in DROPPED:
        cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(name)))
