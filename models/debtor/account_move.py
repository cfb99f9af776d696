
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ..kernel.dunning_recorded import as_recording
from ..kernel.formats import format_day
from ..kernel.groups import ACCOUNTING, COLLEAGUES

#: What the answers about an invoice depend on, and is written on the invoice itself.
ASKED = frozenset({
    'dunning_claim_kind', 'dunning_policy_id', 'dunning_returned_on', 'dunning_sent_on', 'dunning_sent_state',
    'invoice_date_due', 'is_move_sent', 'line_ids', 'partner_id', 'preferred_payment_method_line_id', 'state'})
#: What is known of the sending of an invoice.
SENT_STATES = [
    ('printed', "Printed, nobody confirmed that it was sent"),
    ('waiting', "Its e-mail waits in the mail queue"),
    ('failed', "Its e-mail failed or came back"),
    ('mailed', "E-mail accepted by the mail server"),
    ('delivered', "Delivered electronically"),
    ('entered', "Entered by a person"),
]
#: Of these it is not known that it was sent.
UNCERTAIN_STATES = ('printed', 'waiting', 'failed')
#: The keys by which a payer names an invoice, as in ``tools.payment.imputation.get_item_keys``: an index is on them.
KEYS = (
    "(ARRAY[REGEXP_REPLACE(UPPER(%(name)s), '[^A-Z0-9]', '', 'g'), REGEXP_REPLACE(%(name)s, '[^0-9]', '', 'g'),"
    " LTRIM(SUBSTRING(%(name)s FROM '([0-9]+)[^0-9]*$'), '0'),"
    " REGEXP_REPLACE(UPPER(%(payment_reference)s), '[^A-Z0-9]', '', 'g')])")
HAS_KEYS = "%(move_type)s IN ('out_invoice', 'out_receipt') AND %(state)s = 'posted' AND %(amount_residual)s > 0"
KEY_COLUMNS = ('name', 'payment_reference', 'move_type', 'state', 'amount_residual')


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        copy=False,
        check_company=True,
        tracking=True,
        groups=ACCOUNTING,
        help="Only when this invoice follows another policy than its debtor.",
        prefetch='dunning',
    )
    dunning_sent_on = fields.Date(
        string="Sent On",
        copy=False,
        tracking=True,
        groups=ACCOUNTING,
        help="The day on which the debtor was sent this invoice. When it is later than the invoice date, the term of "
             "payment, and so reminders and interest, count from it.",
        prefetch='dunning',
    )
    dunning_sent_state = fields.Selection(
        selection=SENT_STATES,
        string="Sending",
        copy=False,
        readonly=True,
        groups=ACCOUNTING,
        prefetch='dunning',
    )
    dunning_sent_message_id = fields.Many2one(
        comodel_name='mail.message',
        string="E-mail of the Invoice",
        copy=False,
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
        groups=ACCOUNTING,
        prefetch='dunning',
    )
    dunning_sent_text = fields.Char(
        string="Invoice Sent",
        compute='_compute_dunning_sent_text',
        groups=ACCOUNTING,
    )
    dunning_returned_on = fields.Date(
        string="Direct Debit Returned On",
        copy=False,
        tracking=True,
        groups=ACCOUNTING,
        help="The day on which the bank returned or rejected the direct debit of this invoice. From then on reminders "
             "go out, beginning with a friendly one that says so. Empty it when you collect the invoice once more.",
        prefetch='dunning',
    )
    dunning_return_reason = fields.Char(
        string="Reason Given by the Bank",
        copy=False,
        tracking=True,
        groups=ACCOUNTING,
        help="As the bank writes it. The first reminder tells in our own words what its code means, such as AM04; "
             "nothing else of it leaves.",
        prefetch='dunning',
    )
    dunning_days_overdue = fields.Integer(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        search='_search_dunning_days_overdue',
        groups=COLLEAGUES,
        help="Days since the oldest open due date of the invoice.",
    )

    _dunning_keys_idx = models.Index(
        f"USING gin ({KEYS}) WHERE {HAS_KEYS}" % {name: name for name in KEY_COLUMNS})

    def write(self, vals):
        # OVERRIDE: what was worked out before may no longer be true.
        if 'dunning_sent_on' in vals and 'dunning_sent_state' not in vals:
            entered = {'dunning_sent_state': 'entered', 'is_move_sent': True}
            vals = {**vals, **(entered if vals['dunning_sent_on'] else {'dunning_sent_state': False})}
        result = super().write(vals)
        if vals.keys() & ASKED:
            self._forget_dunning_answers()
        return result

    # -------------------------------------------------------------------------
    # WHEN IT WAS SENT
    # -------------------------------------------------------------------------

    @api.depends('dunning_sent_on', 'dunning_sent_state', 'is_move_sent', 'invoice_date')
    @api.depends_context('lang')
    def _compute_dunning_sent_text(self):
        labels = dict(self._fields['dunning_sent_state']._description_selection(self.env))
        for move in self:
            text = labels.get(move.dunning_sent_state, '')
            if not text and move.is_move_sent and move.invoice_date:
                text = self.env._(
                    "Assumed on the invoice date, %s: nobody recorded when it was sent",
                    format_day(self.env, move.invoice_date))
            elif move.dunning_sent_on:
                text = f"{format_day(self.env, move.dunning_sent_on)}: {text}"
            move.dunning_sent_text = text

    def _record_dunning_sent(self, state, day=None):
        """Record that the debtor was sent these invoices.

        :param str state: a code of :data:`SENT_STATES`
        :param date day: today without it
        """
        for company, moves in self.grouped('company_id').items():
            as_recording(moves).write({
                'dunning_sent_on': day or company._dunning_today(), 'dunning_sent_state': state, 'is_move_sent': True})

    def _is_dunning_sent(self):
        """Return whether the debtor was sent the invoice, as far as is known."""
        self.ensure_one()
        return self.is_move_sent and self.dunning_sent_state not in UNCERTAIN_STATES

    # -------------------------------------------------------------------------
    # DIRECT DEBIT
    # -------------------------------------------------------------------------

    def _record_dunning_return(self, day, reason=''):
        """Record that a bank returned, or rejected, the direct debit of these invoices.

        :param date day: on which it did
        :param str reason: as the bank gives it
        """
        self.write({'dunning_returned_on': day, 'dunning_return_reason': ' '.join((reason or '').split()) or False})

    def action_dunning_return(self):
        """Open the form in which it is entered that the direct debit of these invoices was returned."""
        return self.env['dunning.debit.return']._action_open(self)

    @api.model
    def _get_dunning_named_domain(self, company, debtor_ids, keys):
        """Return the domain of the invoices of debtors, paid or not, that one of these keys may be the number of.

        :param list keys: as of :meth:`_get_dunning_has_key_sql`
        """
        return Domain([
            ('company_id', 'in', company._get_dunning_company_ids()),
            ('move_type', 'in', ('out_invoice', 'out_receipt')),
            ('state', '=', 'posted'), ('commercial_partner_id', 'in', debtor_ids),
        ]) & Domain.custom(to_sql=lambda moves, alias, _query: SQL(
            "%s && %s::text[]", SQL(KEYS, **{
                name: SQL.identifier(alias, name) for name in ('name', 'payment_reference')}), keys,
            to_flush=[moves._fields['name'], moves._fields['payment_reference']]))

    # -------------------------------------------------------------------------
    # WHAT DEPENDS ON IT
    # -------------------------------------------------------------------------

    @api.model
    def _forget_dunning_answers(self):
        """Forget what was worked out about invoices and due items: days, next step, reason, holds, prescription.

        These answers do not depend on fields in the sense of the ORM. If they did, every payment that is matched would
        walk from each invoice to all its payments and back to find which answers to forget, which was 5 % of the time
        it takes to register a payment. They are worked out once per request, and forgotten here.
        """
        for name, answers in self._get_dunning_answers().items():
            self.env[name].invalidate_model(answers, flush=False)

    @api.model
    @ormcache()
    def _get_dunning_answers(self):
        """Return the names of our fields that are worked out when they are read, by model."""
        return {name: tuple(
            field.name for field in self.env[name]._fields.values()
            if field.name.startswith('dunning_') and field.compute and not field.store
        ) for name in ('account.move', 'account.move.line')}

    @api.depends_context('company', 'dunning_at_date')
    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        Item = self.env['account.move.line'].sudo()  # sudo: a number of days of a readable invoice
        items = Item.search(Item._get_dunning_open_domain() & Domain('move_id', 'in', self.ids))
        oldest = {
            move.id: min(item._get_dunning_due_date() for item in group)
            for move, group in items.grouped('move_id').items()}
        for move in self:
            due = oldest.get(move._origin.id or move.id)
            move.dunning_days_overdue = max(0, (today - due).days) if due else 0

    def _search_dunning_days_overdue(self, operator, value):
        """As of due items; an invoice is overdue when one of them is."""
        if operator in ('>', '>='):
            overdue = self.env['account.move.line']._search_dunning_days_overdue(operator, value)
            return overdue if overdue.is_true() else Domain('line_ids', 'any', overdue)
        if operator in ('<', '<='):
            return ~Domain(self._search_dunning_days_overdue('>=' if operator == '<' else '>', value))
        return NotImplemented

    @api.model
    def _get_dunning_has_key_sql(self, move, keys):
        """Return the SQL condition that a customer invoice that is not paid has one of these keys as its number.

        :param SQL move: the name of a row of ``account_move``
        :param SQL keys: an array of letters and digits as in ``tools.payment.imputation.get_item_keys``
        """
        columns = {name: SQL("%s.%s", move, SQL.identifier(name)) for name in KEY_COLUMNS}
        return SQL(
            "%(keys)s && %(wanted)s::text[] AND %(has_keys)s", wanted=keys, keys=SQL(KEYS, **{
                name: columns[name] for name in ('name', 'payment_reference')}),
            has_keys=SQL(HAS_KEYS, **{name: columns[name] for name in KEY_COLUMNS[2:]}),
            to_flush=[self._fields[name] for name in KEY_COLUMNS])

    def _get_dunning_items(self):
        """Return the due items (receivable journal items) of these moves, open or not."""
        Item = self.env['account.move.line'].sudo()  # sudo: the caller checked the moves
        return Item.search(Domain('move_id', 'in', self.ids) & Item._get_dunning_due_domain())
