"""The words of texts got names for people: the translations of their old ones would stay."""

WORDS = (
    'contact_text', 'privacy_text', 'amount_text', 'asked_text', 'date_text', 'deadline_text', 'term_text',
    'history_text', 'principal_text', 'held_text', 'interest_text', 'interest_per_day_text', 'interest_name',
    'interest_law', 'rate_text', 'costs_text', 'interest_since_text', 'interest_principal_text', 'fourteen_day_text',
    'costs_since_text', 'costs_announced_text', 'total_after_term_text', 'vat_sentence', 'mail_items', 'mail_payment',
    'mail_sender',
    # of promises, arrangements and withdrawals
    'count_text', 'part_count', 'first_text', 'first_amount_text', 'last_text', 'claim_date_text', 'valid_text',
    'told_salutation', 'told_number', 'told_count', 'told_amount', 'told_date', 'told_until', 'told_left', 'told_paid',
    'told_invoices', 'told_invoice_count', 'told_closed', 'told_code', 'told_contact', 'told_payment', 'made_text',
    'invoices_text', 'invoice_count', 'is_whole', 'is_all', 'is_credited', 'notices_text', 'open_text',
)
MODELS = ('dunning.notice', 'dunning.promise', 'dunning.arrangement', 'dunning.withdrawal')


def migrate(cr, version):
    cr.execute("""
        UPDATE ir_model_fields SET field_description = jsonb_build_object('en_US', field_description->>'en_US')
         WHERE model IN %s AND name IN %s
    """, [MODELS, WORDS])
