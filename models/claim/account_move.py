"""The claim on a debtor as a whole, for screens and for other systems."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..kernel.groups import ACCOUNTING


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_notice_id = fields.Many2one(
        comodel_name='dunning.notice',
        string="Claims Interest and Costs Of",
        copy=False,
        readonly=True,
        ondelete='restrict',
        groups=ACCOUNTING,
        help="The notice whose interest and collection costs are booked here.",
        prefetch='dunning',
    )
    dunning_claim_kind = fields.Selection(
        selection=[('goods', "Goods"), ('services', "Services"), ('other', "Something else")],
        string="Claim Is For",
        copy=False,
        tracking=True,
        groups=ACCOUNTING,
        help="What decides how long a claim on a consumer can be enforced: two years for the price of goods "
             "(article 7:28 BW), five years otherwise. Empty: what the products on the lines say, the short term when "
             "in doubt.",
        prefetch='dunning',
    )
    dunning_prescription_date = fields.Date(
        string="Prescribes After",
        compute='_compute_dunning_prescription',
        search='_search_dunning_prescription_date',
        groups=ACCOUNTING,
        help="The last day on which the claim can still be enforced or its prescription (verjaring) be interrupted; of "
             "the instalment that prescribes first.",
    )
    dunning_prescription_reason = fields.Char(
        string="Prescription",
        compute='_compute_dunning_prescription',
        groups=ACCOUNTING,
        help="How the day of prescription was worked out.",
    )

    # Nothing twice: one living booking per notice, whoever records it. All others differ by their own number, so that
    # the bookings of a notice are found by the same index: every query about invoices weighs each index.
    _one_booking_per_notice = models.UniqueIndex(
        "(dunning_notice_id, (CASE WHEN move_type = 'out_invoice' AND state <> 'cancel' THEN 0 ELSE id END)) "
        "WHERE dunning_notice_id IS NOT NULL",
        "The interest and costs of this notice are booked already.",
    )

    def action_dunning_specification(self):
        """Open the wizard that shows and prints the claim of these invoices."""
        self.check_access('read')
        debtor = self.commercial_partner_id
        if len(debtor) != 1:
            raise UserError(self.env._("Choose invoices of one debtor."))
        return self.env['dunning.specification']._action_open(debtor, self._get_dunning_items())

    def action_dunning_waive(self):
        """Open the wizard that waives interest and costs of these invoices."""
        self.check_access('read')
        return self.env['dunning.waive']._action_open(
            self._get_dunning_items().filtered(lambda item: item.balance > 0))

    @api.constrains('state')
    def _check_dunning_booking(self):
        """What a letter said is in the books: it is credited, not unposted."""
        for move in self.filtered('dunning_notice_id'):
            if move.state != 'posted' and move.posted_before and move.dunning_notice_id.state in ('sent', 'withdrawn'):
                raise UserError(self.env._(
                    "%(invoice)s books the interest and costs that %(notice)s asked for. It cannot be reset or "
                    "cancelled: use “Waive” on that notice, which credits it.",
                    invoice=move.name, notice=move.dunning_notice_id.display_name))

    @api.depends_context('lang', 'dunning_at_date')
    def _compute_dunning_prescription(self):
        """Of the open due item that prescribes first; one query for all invoices."""
        Service = self.env['dunning.prescription']
        items = self._origin.filtered(lambda move: move.state == 'posted')._get_dunning_items()
        found = Service._get_for(items)
        first = {}
        for item in items:
            answer = found.get(item.id)
            if answer and (item.move_id.id not in first or answer.until < first[item.move_id.id].until):
                first[item.move_id.id] = answer
        texts = Service._explain(first.values())
        for move in self:
            answer = first.get(move._origin.id)
            move.dunning_prescription_date = answer and answer.until
            move.dunning_prescription_reason = texts.get(answer.item_id) if answer else False

    def _search_dunning_prescription_date(self, operator, value):
        """As for due items; the one that prescribes first speaks for the invoice."""
        def some(*leaf):
            return Domain('line_ids', 'any', [('dunning_prescription_date', *leaf)])

        if operator in ('<', '<='):
            return some(operator, value)
        if operator in ('>', '>='):
            return some(operator, value) & ~some('<=' if operator == '>' else '<', value)
        if operator == 'in':
            found = Domain.OR(some('in', [day]) & ~some('<', day) for day in value if day)
            if not all(value):
                found |= ~some('not in', [False])
            return found
        return NotImplemented

    def action_dunning_interruption(self):
        """Open the form to enter what interrupted the prescription of these invoices."""
        self.check_access('read')
        return self.env['dunning.interruption']._action_enter(self)
