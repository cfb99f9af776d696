"""What a notice claims: interest and costs written on it, its specification, its bookings, whether it interrupts."""

from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import html2plaintext
from odoo.tools.misc import format_date

from ...tools.law.amounts import ZERO, to_decimal
from ...tools.law.claim import Booked
from ...tools.wording import interrupts_prescription
from ..kernel.groups import ACCOUNTING
from ..ladder.dunning_level import MANUAL_CHANNELS
from .dunning_claim_booking import BookingWords


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    booking_ids = fields.One2many(
        comodel_name='account.move', inverse_name='dunning_notice_id', string="Booked As",
        groups=ACCOUNTING)
    booking_left = fields.Monetary(
        string="Booked and Open", compute='_compute_booking_count',
        groups=ACCOUNTING)
    booking_count = fields.Integer(
        compute='_compute_booking_count', groups=ACCOUNTING)

    def _compute_booking_count(self):
        groups = self.env['account.move']._read_group(
            [('dunning_notice_id', 'in', self.ids)], ['dunning_notice_id', 'move_type'],
            ['__count', 'amount_residual:sum'])
        counts, left = defaultdict(int), defaultdict(float)
        for notice, move_type, count, residual in groups:
            counts[notice.id] += count
            if move_type == 'out_invoice':
                left[notice.id] += residual
        for notice in self:
            notice.booking_count = counts[notice._origin.id]
            notice.booking_left = left[notice._origin.id]

    def action_bookings(self):
        """Show the invoices and credit notes of the interest and costs of this notice."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('account.action_move_out_invoice_type')
        action['domain'] = [('dunning_notice_id', '=', self.id)]
        action['context'] = {'create': False}
        return action

    # -------------------------------------------------------------------------
    # THE CLAIM
    # -------------------------------------------------------------------------

    def _update_claim(self, at_date):
        """Write down the interest and collection costs that these notices ask on ``at_date``, in batches."""
        levels = self.level_id.filtered(
            lambda level: level.with_interest or level.with_costs or level.legal_role == 'fourteen_day')
        # Also of a level that asks nothing any more: what was worked out before goes.
        claiming = self.filtered(lambda notice: (
            notice.level_id in levels or notice.amount_interest or notice.amount_costs or notice.amount_announced))
        if len(claiming) < len(self):
            # What was booked is owed by the books, whatever a level asks.
            claiming |= self.env['dunning.claim']._get_booked(self)
        for company, notices in claiming.grouped('company_id').items():
            claims = self.env['dunning.claim'].with_company(company)._compute_for_notices(notices, at_date)
            for notice in notices._recording():
                notice._write_claim(claims[notice.id])

    def _write_claim(self, claim):
        self.ensure_one()
        by_item = {item.item_id: item for item in claim.items}
        for line in self.live_line_ids:
            item = by_item[line.move_line_id.id]
            vals = {
                'amount_interest': float(item.interest),
                'amount_costs': float(item.costs),
                'amount_announced': float(item.announced),
            }
            if any(self.currency_id.compare_amounts(line[name], amount) for name, amount in vals.items()):
                line.write(vals)
        data = claim.to_json()
        if self.claim_data != data:
            self.claim_data = data

    def _get_claimed_items(self):
        """Return the due items of which these notices ask interest and costs."""
        return self.live_line_ids.move_line_id

    # -------------------------------------------------------------------------
    # WHEN IT LEFT
    # -------------------------------------------------------------------------

    def _get_sent_steps(self):
        # Hook: what was asked is booked when it left, in the same transaction.
        return [*super()._get_sent_steps(), self._book_extras, self._record_interruption]

    def _record_interruption(self, at_date):
        """Step: what left says from now on whether it interrupted prescription."""
        reserving = self.filtered(lambda notice: notice._reserves_performance())
        if reserving:
            reserving._recording().write({'interrupts_prescription': True})
            self.env['account.move']._forget_dunning_answers()

    def _reserves_performance(self):
        """Return whether the text that left interrupts prescription: written, and without doubt (article 3:317 BW)."""
        self.ensure_one()
        if self.channel in MANUAL_CHANNELS:
            return False
        text = Markup().join(filter(None, (self.body_intro, self.body_closing)))
        return bool(text) and interrupts_prescription(text)

    # -------------------------------------------------------------------------
    # BOOKING
    # -------------------------------------------------------------------------

    def _book_extras(self, at_date):
        """Step: book the interest and costs that these notices were the first to ask for.

        Only for policies that want it. Set-based: one creation and one posting per company.
        """
        for company, notices in self._filter_booked().grouped('company_id').items():
            Claim = self.env['dunning.claim'].with_company(company)
            extras = Claim._read_extras(notices._get_claimed_items())
            vals_list = []
            for notice in notices._recording():
                interest, costs = notice._write_booked(extras)
                if interest or costs:
                    vals_list.append(notice._prepare_booking(interest, costs))
            if vals_list:
                Claim._post_bookings(company, vals_list)

    def _filter_booked(self):
        """Return which of these notices ask interest or costs, and have a policy that books them."""
        return self.filtered(lambda notice: (
            notice.policy_id.claim_booking == 'booked' and (notice.amount_interest or notice.amount_costs)))

    def _rehearse_booking(self, at_date):
        """Raise where what these notices ask could not be booked: then they must not leave by e-mail."""
        if self._filter_booked():
            with self.env.cr.savepoint() as savepoint:
                self._book_extras(at_date)
                self.env.flush_all()
                savepoint.rollback()
            self.env.invalidate_all()

    def _write_booked(self, extras):
        """Write on the lines what comes on top of earlier bookings; return the sums as (interest, costs)."""
        self.ensure_one()
        interest, costs = ZERO, ZERO
        for line in self.live_line_ids:
            new_interest, new_costs = extras.get(line.move_line_id.id, Booked()).unbooked(
                to_decimal(line.amount_interest), to_decimal(line.amount_costs))
            line.write({'booked_interest': float(new_interest), 'booked_costs': float(new_costs)})
            interest += new_interest
            costs += new_costs
        return interest, costs

    def _prepare_booking(self, interest, costs):
        """Return the values of the invoice that books interest and costs of this notice (amounts: Decimal)."""
        self.ensure_one()
        env = self.with_context(lang=self.lang).env
        words = BookingWords(
            env._("Collection costs, as asked in %s", self.name),
            env._(
                "Interest until %(date)s, as asked in %(notice)s",
                date=format_date(env, self.date, lang_code=self.lang), notice=self.name),
            self.env._(
                "The policy books interest and collection costs, and no product is set for one of them. Choose it "
                "in the settings of Debtor Management."),
            lambda day: self.env._(
                "The books are locked until %(date)s, so the interest and costs of %(notice)s cannot be booked. Lift "
                "the lock, or let the policy keep them on letters only.",
                date=format_date(self.env, day), notice=self.display_name))
        return {
            **self.env['dunning.claim']._prepare_booking(self, interest, costs, words, self.date, self.deadline),
            'invoice_origin': self.name,
            'ref': self.name,
        }

    # -------------------------------------------------------------------------
    # TAKING IT BACK
    # -------------------------------------------------------------------------

    @api.model
    def _propose_credits(self, company, at_date):
        """Ask somebody to settle what is open of bookings and is not owed, by the facts of a day.

        Said once, and again when the amount has changed.
        """
        overbooked = self.env['dunning.claim']._read_overbooked(company, at_date)
        for booking in self.env['account.move'].browse(overbooked):
            notice, found = booking.dunning_notice_id, overbooked[booking.id]
            user = notice and (notice._get_responsible() or company._get_dunning_manager())
            if not user:
                continue
            local = notice.with_context(lang=user.lang)
            summary, note = local._explain_overbooked(found)
            said = notice.activity_ids.filtered(lambda activity, summary=summary: activity.summary == summary)
            if said and html2plaintext(said[:1].note) == html2plaintext(note):
                continue
            said.unlink()
            local._recording().activity_schedule(
                'mail.mail_activity_data_warning', date_deadline=at_date, user_id=user.id, automated=True,
                summary=summary, note=note)

    def _explain_overbooked(self, found):
        """Return the summary and text of the to-do about an ``Overbooked``, in the language of the environment."""
        env, amount = self.env, self.currency_id.format(float(found.amount))
        if found.is_paid:
            return env._("Paid as asked, and still open in the books"), env._(
                "What the letter asked was paid in time, so nothing is left of the claim, and %(amount)s of the booked "
                "interest and costs is still open. Reconcile it with the surplus of the payment; what was booked as "
                "income, or was not asked, is credited with “Waive Booked Interest and Costs”.", amount=amount)
        return env._("More interest and costs are booked than are owed"), env._(
            "By the facts of today, %(amount)s of the interest and costs that %(notice)s booked is not owed: a payment "
            "was entered late, something was credited or waived, or a letter does not hold. Credit that amount with "
            "“Waive Booked Interest and Costs” on the notice, and pay back what was paid on it beyond the rest.",
            amount=amount, notice=self.display_name)

    def _mark_undelivered(self, why=None):
        # OVERRIDE: what nobody received claimed nothing.
        self._credit_bookings(why or self.env._("The notice was not delivered"))
        return super()._mark_undelivered(why)

    def action_waive_booking(self):
        """Open the wizard that credits what is still open of the booked interest and costs."""
        self.ensure_one()
        self.check_access('write')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Waive Booked Interest and Costs"),
            'res_model': 'dunning.booking.waive',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_notice_id': self.id},
        }

    def _credit_bookings(self, reason, amount=None):
        """Credit what is still open of the interest and costs these notices booked, and reconcile it.

        :param str reason: why it is waived; on the credit note
        :param amount: only so much of each
        :return: the credit notes
        """
        credits = self.env['account.move']
        for notice in self:
            booking = notice.booking_ids.filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted')
            credits |= self.env['dunning.claim']._credit_booking(
                booking, reason, notice.company_id._dunning_today(), amount=amount, dunning_notice_id=notice.id)
        return credits
