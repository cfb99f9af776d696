from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_amount, format_date
from odoo.tools.mail import is_html_empty
from odoo.tools.misc import clean_context

from ...tools.names import parse_name
from ..kernel.dunning_bulk import insert_rows, log_on
from ..kernel.dunning_field import CopiedMany2one
from ..kernel.ir_attachment import RECORDING, is_recording
from ..ladder.dunning_level import CHANNELS

# How many earlier contacts a letter names at most: the last ones.
HISTORY_LENGTH = 6
# Pieces of e-mails by the field that texts put them in with.
MAIL_BLOCKS = {
    'mail_items': 'l10n_nl_dunning.mail_items',
    'mail_payment': 'l10n_nl_dunning.mail_payment',
    'mail_sender': 'l10n_nl_dunning.mail_sender',
}
STATES = [
    ('draft', "Proposal"),
    ('queued', "To Send"),
    ('todo', "To Do"),
    ('to_post', "To Post"),
    ('error', "Failed"),
    ('sent', "Sent"),
    ('skipped', "Passed Over"),
    ('undelivered', "Not Delivered"),
    ('withdrawn', "Withdrawn"),
    ('cancelled', "Cancelled"),
]
# A notice in one of these states still holds its items: they get no other notice.
PENDING_STATES = ('draft', 'queued', 'todo', 'to_post', 'error')
FINAL_STATES = ('sent', 'skipped', 'undelivered', 'withdrawn', 'cancelled')
# What a user may change by hand, and only while the notice has not left.
USER_WRITABLE = frozenset({'channel', 'recipient_id', 'lang', 'note'})
# And what is said about a call or a task that was handed out.
USER_WRITABLE_HANDED_OUT = frozenset({'note'})
# Fields of mixins: chatter and activities go on after a notice left.
MIXIN_PREFIXES = ('activity_', 'message_', 'my_activity_', 'website_message_', 'rating_', 'access_')


class DunningNotice(models.Model):
    """One contact with a debtor about his due items at one level: a mail, a letter, a call.

    A notice is made as a proposal, is queued, and leaves through the dispatcher.
    Once sent, its figures, texts and PDF never change.
    """

    _name = 'dunning.notice'
    _inherit = ['mail.thread.main.attachment', 'mail.activity.mixin']
    _description = "Dunning Notice"
    _order = 'id desc'
    _check_company_auto = True
    _mail_post_access = 'read'

    name = fields.Char(string="Number", readonly=True, copy=False, index='trigram')
    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    recipient_id = fields.Many2one(
        comodel_name='res.partner', string="Addressed To", required=True, index=True, ondelete='restrict',
        tracking=True,
        help="The contact for reminders of the debtor, else the contact on the invoice.")
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    level_id = fields.Many2one(
        comodel_name='dunning.level', required=True, index=True, readonly=True, ondelete='restrict',
        group_expand='_group_expand_level_id')
    policy_id = CopiedMany2one(related='level_id.policy_id', store=True)
    channel = fields.Selection(selection=CHANNELS, required=True, tracking=True)
    state = fields.Selection(
        selection=STATES, default='draft', required=True, readonly=True, copy=False, tracking=True)
    origin = fields.Selection(
        selection=[('scheduled', "Scheduled action"), ('manual', "By hand")],
        default='manual', required=True, readonly=True)
    backlog = fields.Boolean(readonly=True, help="About items that were overdue before dunning was started.")
    forced = fields.Boolean(
        string="Ahead of Time", readonly=True,
        help="A person decided to send it before its day or below the minimum amount.")
    author_id = fields.Many2one(
        comodel_name='res.users', string="Decided By", readonly=True, default=lambda self: self.env.user)

    date_planned = fields.Date(string="Planned On", readonly=True, required=True)
    date = fields.Date(readonly=True, copy=False, help="Date on the letter or of the call.", index='btree_not_null')
    deadline = fields.Date(string="Pay Before", copy=False, readonly=True,
                           help="Last day of the term this notice gives the debtor.")
    sent_on = fields.Datetime(readonly=True, copy=False)
    postal_state = fields.Selection(
        selection=[('to_print', "To print"), ('printed', "Printed"), ('posted', "Posted")],
        string="Post", readonly=True, copy=False)
    posted_on = fields.Date(readonly=True, copy=False)
    posted_by_id = fields.Many2one(comodel_name='res.users', readonly=True, copy=False)

    line_ids = fields.One2many(comodel_name='dunning.notice.line', inverse_name='notice_id', string="Due Items")
    # Computed, not a domain: a line that was taken off must be gone at once, also from the cache.
    live_line_ids = fields.One2many(
        comodel_name='dunning.notice.line', string="Items Asked For", compute='_compute_live_line_ids')
    dropped_count = fields.Integer(string="Items Taken Off", compute='_compute_live_line_ids')
    line_count = fields.Integer(string="Items", compute='_compute_amounts', store=True)
    amount_residual = fields.Monetary(string="Open", compute='_compute_amounts', store=True)
    amount_netted = fields.Monetary(string="Credits", compute='_compute_amounts', store=True,
                                    help="Open credit notes and payments of the debtor that cover part of it.")
    amount_held = fields.Monetary(
        string="On Hold", compute='_compute_amounts', store=True,
        help="Part of the items that is not asked now, such as a part in dispute.")
    amount_principal = fields.Monetary(
        string="Principal", compute='_compute_amounts', store=True,
        help="What is asked of the invoices themselves: open, less credits and parts on hold.")
    amount_interest = fields.Monetary(string="Interest", compute='_compute_amounts', store=True)
    amount_costs = fields.Monetary(string="Collection Costs", compute='_compute_amounts', store=True)
    amount_announced = fields.Monetary(
        string="Announced Costs", compute='_compute_amounts', store=True,
        help="Collection costs that a 14-day letter announces: owed only when its term has run out.")
    amount_due = fields.Monetary(
        string="To Pay", compute='_compute_amounts', store=True,
        help="The principal, and the interest and collection costs that the notice asks for.")
    amount_due_company = fields.Monetary(
        string="To Pay (company currency)", compute='_compute_amounts', store=True,
        currency_field='company_currency_id')
    oldest_due_date = fields.Date(compute='_compute_amounts', store=True)

    # What the law sees in it: taken from the level and its text when the notice leaves, then frozen.
    legal_role = fields.Selection(
        selection=lambda self: self.env['dunning.level']._fields['legal_role'].selection,
        readonly=True, copy=False, index='btree_not_null')
    interrupts_prescription = fields.Boolean(
        readonly=True, copy=False,
        help="The text reserved the right to performance, so that prescription starts anew (article 3:317 BW).")
    claim_data = fields.Json(
        readonly=True, copy=False, help="How interest and collection costs were worked out when it left.")
    receipt_date = fields.Date(
        readonly=True, copy=False, help="The day on which the debtor received it, proven or presumed.")
    costs_from = fields.Date(
        readonly=True, copy=False,
        help="Of a 14-day letter: the first day on which the debtor owes collection costs.")

    lang = fields.Char(string="Language", compute='_compute_lang', store=True, readonly=False, precompute=True,
                       tracking=True)
    subject = fields.Char(readonly=True, copy=False)
    body_intro = fields.Html(readonly=True, copy=False, sanitize=False)
    body_closing = fields.Html(readonly=True, copy=False, sanitize=False)
    letter_file = fields.Binary(string="Letter", attachment=True, readonly=True, copy=False)
    letter_filename = fields.Char(compute='_compute_letter_filename')
    letter_sha256 = fields.Char(string="SHA-256 of the Letter", readonly=True, copy=False)
    mail_id = fields.Many2one(comodel_name='mail.mail', readonly=True, copy=False, ondelete='set null',
                              index='btree_not_null')
    mail_message_id = fields.Many2one(comodel_name='mail.message', string="E-mail", readonly=True, copy=False,
                                      ondelete='set null', index='btree_not_null')
    email_to = fields.Char(string="E-mailed To", readonly=True, copy=False)
    waiting_reason = fields.Char(
        string="Waits Because", readonly=True, copy=False,
        help="Why it stays in the queue; it leaves by itself when this is over.")
    error_message = fields.Text(string="What Went Wrong", readonly=True, copy=False)
    cancel_reason = fields.Char(readonly=True, copy=False)
    note = fields.Text(string="Note of the Call or Task", copy=False)
    promised_date = fields.Date(
        copy=False, readonly=True, help="The day on which the debtor said in this call that he will have paid.")
    call_script = fields.Html(compute='_compute_call_script', sanitize=False)

    # Words for the texts of levels, in the language of the notice. Their help is shown with the texts.
    salutation = fields.Char(compute='_compute_words', help="How the letter opens, with the name of the addressee.")
    greeting = fields.Char(compute='_compute_words', help="How the letter ends, after the tone of the level.")
    contact_text = fields.Char(
        compute='_compute_words', help="Whom the debtor can call or write to, as in the settings.")
    amount_text = fields.Char(compute='_compute_words', help="The one amount to pay.")
    date_text = fields.Char(compute='_compute_words', help="The date of the letter.")
    deadline_text = fields.Char(
        compute='_compute_words',
        help="The last day to pay. In a 14-day letter the term in words: it must not name a date.")
    term_text = fields.Char(
        compute='_compute_words',
        help="The term as the law wants it: in a 14-day letter “within fourteen days from the day after this letter "
             "was delivered to you”, in all others “by” the last day to pay.")
    days_overdue = fields.Integer(compute='_compute_words', help="Days that the oldest item is late.")
    history_text = fields.Char(
        compute='_compute_history_text',
        help="Earlier contacts about these items, as in “our reminder of 3 November 2026”; empty when there were none.")
    reference = fields.Char(
        string="Payment Reference", compute='_compute_reference', help="What the debtor states with the payment.")
    # Words about the claim; not computed for letters that claim nothing but the invoices.
    principal_text = fields.Char(
        compute='_compute_claim_words', help="What is asked of the invoices themselves, without interest and costs.")
    held_text = fields.Char(compute='_compute_claim_words', help="The part that is on hold and not asked.")
    interest_text = fields.Char(compute='_compute_claim_words', help="The interest to the date of the letter.")
    interest_per_day_text = fields.Char(
        compute='_compute_claim_words',
        help="What each further day adds in interest; empty when that is less than a cent.")
    interest_name = fields.Char(
        compute='_compute_claim_words',
        help="Which interest it is: statutory interest, statutory commercial interest or agreed interest.")
    interest_law = fields.Char(
        compute='_compute_claim_words', help="The article of the Civil Code that the interest follows from.")
    rate_text = fields.Char(compute='_compute_claim_words', help="The rate of the interest today, per year.")
    costs_text = fields.Char(compute='_compute_claim_words', help="The collection costs that the letter asks.")
    costs_announced_text = fields.Char(
        compute='_compute_claim_words',
        help="The collection costs that a 14-day letter announces: owed only when its term has run out.")
    total_after_term_text = fields.Char(
        compute='_compute_claim_words',
        help="The amount to pay and the announced collection costs together: owed when nothing was paid in the term.")
    vat_sentence = fields.Char(
        compute='_compute_claim_words',
        help="Why the collection costs were raised with VAT; empty when they were not.")
    interest_waived = fields.Boolean(
        compute='_compute_claim_words', help="Whether no interest is asked of this debtor, ever.")
    mail_items = fields.Html(compute='_compute_mail_blocks', sanitize=False)
    mail_payment = fields.Html(compute='_compute_mail_blocks', sanitize=False)
    mail_sender = fields.Html(compute='_compute_mail_blocks', sanitize=False)

    _pending_idx = models.Index("(state, id) WHERE state IN ('draft', 'queued', 'todo', 'to_post', 'error')")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('name')
    def _compute_display_name(self):
        for notice in self:
            notice.display_name = notice.name or self.env._("New notice")

    @api.depends(
        'line_ids.amount_residual', 'line_ids.amount_netted', 'line_ids.amount_held', 'line_ids.amount_interest',
        'line_ids.amount_costs', 'line_ids.amount_announced', 'line_ids.amount_due_company', 'line_ids.drop_reason',
        'line_ids.date_maturity')
    def _compute_amounts(self):
        for notice in self:
            lines = notice.line_ids.filtered(lambda line: not line.drop_reason)
            residual = sum(lines.mapped('amount_residual'))
            netted = sum(lines.mapped('amount_netted'))
            notice.line_count = len(lines)
            notice.amount_residual = residual
            notice.amount_netted = netted
            notice.amount_held = sum(lines.mapped('amount_held'))
            notice.amount_principal = residual - netted - notice.amount_held
            notice.amount_interest = sum(lines.mapped('amount_interest'))
            notice.amount_costs = sum(lines.mapped('amount_costs'))
            notice.amount_announced = sum(lines.mapped('amount_announced'))
            extras = notice.amount_interest + notice.amount_costs
            notice.amount_due = notice.amount_principal + extras
            # Interest and costs are only ever asked in the currency of the company.
            notice.amount_due_company = sum(lines.mapped('amount_due_company')) + extras
            notice.oldest_due_date = min(lines.mapped('date_maturity'), default=False)

    @api.depends('level_id.call_script', 'lang', 'state', 'channel')
    def _compute_call_script(self):
        """What to say, for a call that waits to be made."""
        self.call_script = False
        calls = self.filtered(lambda notice: notice.channel == 'phone' and notice.state == 'todo' and notice._origin)
        for (level, lang), notices in calls.grouped(lambda notice: (notice.level_id, notice.lang)).items():
            if is_html_empty(level.call_script):
                continue
            texts = self.env['dunning.letter']._render_level_text(level, 'call_script', lang, notices._origin)
            for notice in notices:
                notice.call_script = texts.get(notice._origin.id)

    @api.depends('line_ids.drop_reason')
    def _compute_live_line_ids(self):
        for notice in self:
            notice.live_line_ids = notice.line_ids.filtered(lambda line: not line.drop_reason)
            notice.dropped_count = len(notice.line_ids) - len(notice.live_line_ids)

    @api.depends('recipient_id', 'partner_id', 'level_id')
    def _compute_lang(self):
        for notice in self:
            lang = (notice.recipient_id or notice.partner_id)._get_dunning_lang()
            notice.lang = notice.level_id.policy_id._nearest_letter_lang(lang) if notice.level_id else lang

    @api.depends('name')
    def _compute_letter_filename(self):
        for notice in self:
            number = (notice.name or 'concept').replace('/', '-')
            notice.letter_filename = f"{number}.pdf"

    @api.depends('line_ids.move_id.payment_reference', 'line_ids.drop_reason', 'name')
    def _compute_reference(self):
        """What the debtor writes with his payment: the invoice's own reference when there is but one."""
        for notice in self:
            moves = notice.live_line_ids.move_id
            of_invoice = (moves.payment_reference or moves.name) if len(moves) == 1 else ''
            notice.reference = of_invoice or notice.name or self.env._("Reminder")

    @api.depends(
        'recipient_id', 'amount_due', 'currency_id', 'date', 'date_planned', 'deadline', 'lang', 'oldest_due_date',
        'level_id.legal_role', 'legal_role', 'company_id')
    def _compute_words(self):
        Letter = self.env['dunning.letter']
        for lang, notices in self.grouped('lang').items():
            env = self.with_context(lang=lang).env
            contacts = {company: company._get_dunning_contact_text() for company in notices.company_id}
            for notice in notices:
                date = notice.date or notice.date_planned
                deadline = notice.deadline or (date and date + timedelta(days=notice._get_term_days()))
                notice.salutation = notice._get_salutation()
                formal = notice.level_id.tone == 'formal'
                notice.greeting = env._("Yours faithfully,") if formal else env._("Kind regards,")
                notice.amount_text = Letter._format_amount(notice.amount_due, notice.currency_id, lang)
                notice.date_text = Letter._format_date(date, lang)
                if notice._is_fourteen_day():
                    # No date: nobody knows yet on which day the debtor receives it, and one too early voids the letter.
                    notice.deadline_text = notice.term_text = Letter._get_fourteen_day_term(lang)
                else:
                    notice.deadline_text = Letter._format_date(deadline, lang)
                    notice.term_text = env._("by %s at the latest", notice.deadline_text)
                notice.days_overdue = (date - notice.oldest_due_date).days if date and notice.oldest_due_date else 0
                notice.contact_text = contacts.get(notice.company_id, '')

    @api.depends(
        'amount_principal', 'amount_held', 'amount_interest', 'amount_costs', 'amount_announced', 'amount_due',
        'claim_data', 'currency_id', 'lang', 'company_id')
    def _compute_claim_words(self):
        Letter = self.env['dunning.letter']
        for notice in self:
            lang, currency = notice.lang, notice.currency_id
            env = self.with_context(lang=lang).env
            facts = Letter._get_interest_facts(notice)
            after_term = notice.amount_due + notice.amount_announced
            notice.principal_text = Letter._format_amount(notice.amount_principal, currency, lang)
            notice.held_text = Letter._format_amount(notice.amount_held, currency, lang)
            notice.interest_text = Letter._format_amount(notice.amount_interest, currency, lang)
            notice.costs_text = Letter._format_amount(notice.amount_costs, currency, lang)
            notice.costs_announced_text = Letter._format_amount(notice.amount_announced, currency, lang)
            notice.total_after_term_text = Letter._format_amount(after_term, currency, lang)
            notice.interest_per_day_text = facts['per_day']
            notice.interest_name = facts['name']
            notice.interest_law = facts['law']
            notice.rate_text = facts['rate']
            notice.interest_waived = facts['waived']
            raised = (notice.amount_announced or notice.amount_costs) and Letter._is_raised_with_vat(
                notice.claim_data or {})
            # Article 2 paragraph 3 of the decree on collection costs: only with this declaration.
            notice.vat_sentence = env._(
                "The collection costs have been raised with 21% VAT, because we cannot deduct the VAT that is charged "
                "to us for collecting them.") if raised else ''

    def _get_term_days(self):
        """Return the days the debtor gets: with items of several levels the longest term counts for all."""
        self.ensure_one()
        return max((self.level_id | self.live_line_ids.level_id).mapped('payment_term_days'), default=0)

    def _is_fourteen_day(self):
        """Return whether it is a 14-day letter: by what it left as, or by its level before that."""
        self.ensure_one()
        return (self.legal_role if self.date else self.level_id.legal_role) == 'fourteen_day'

    @api.depends('line_ids.move_line_id', 'line_ids.drop_reason', 'date', 'date_planned', 'sent_on', 'lang')
    def _compute_history_text(self):
        histories = self._get_histories()
        for notice in self:
            notice.history_text = histories.get(notice._origin.id, '')

    def _get_salutation(self):
        """Return how the letter opens, from the title and name of the addressee and the tone of the level."""
        self.ensure_one()
        env = self.with_context(lang=self.lang).env
        dutch = (self.lang or '').startswith('nl')
        person = self.recipient_id
        name = parse_name(person.name, dutch=dutch)
        if person.is_company or name.is_desk or (person.parent_id and ' ' not in name.full and not name.gender):
            return env._("Dear Sir or Madam,")
        if name.gender == 'male':
            return env._("Dear Mr %s,", name.surname)
        if name.gender == 'female':
            return env._("Dear Ms %s,", name.surname)
        if dutch and self.level_id.tone != 'friendly':
            return env._("Dear Mr or Ms %s,", name.surname)
        return env._("Dear %s,", name.full)

    def _get_histories(self):
        """Return ``{notice_id: sentence part}`` naming the earlier contacts about the items of each notice.

        Only what really happened: letters and mails that left, calls that were made.
        """
        saved = self._origin.filtered('id')
        Line = self.env['dunning.notice.line']
        items = saved.live_line_ids.move_line_id
        if not items:
            return {}
        by_item = defaultdict(lambda: self.env['dunning.notice'])
        for line in Line.search_fetch(
            [('move_line_id', 'in', items.ids), ('status', '=', 'sent')], ['move_line_id', 'notice_id']
        ):
            by_item[line.move_line_id.id] |= line.notice_id
        result = {}
        for notice in saved:
            date = notice.date or notice.date_planned
            earlier = self.env['dunning.notice'].union(
                *(by_item[item.id] for item in notice.live_line_ids.move_line_id)
            ).filtered(lambda other, notice=notice, date=date: (
                other != notice and other.channel != 'task' and other.date and other.date <= date
                and (not notice.sent_on or other.sent_on < notice.sent_on)))
            contacts = earlier.sorted(lambda other: (other.date, other.id))[-HISTORY_LENGTH:]
            result[notice.id] = notice._tell_history(contacts)
        return result

    def _tell_history(self, contacts):
        """Return “our reminder of 3 November 2026 and our telephone call of 10 November 2026”."""
        self.ensure_one()
        env = self.with_context(lang=self.lang).env
        dates = defaultdict(list)
        for contact in contacts:
            kind = 'call' if contact.channel == 'phone' else (
                'reminder' if contact.level_id.tone == 'friendly' else 'demand')
            date = self.env['dunning.letter']._format_date(contact.date, self.lang)
            if date not in dates[kind]:
                dates[kind].append(date)
        parts = []
        for kind, found in dates.items():
            joined = self._join_words(env, found)
            if kind == 'call':
                parts.append(
                    env._("our telephone call of %s", joined) if len(found) == 1
                    else env._("our telephone calls of %s", joined))
            elif kind == 'reminder':
                parts.append(
                    env._("our reminder of %s", joined) if len(found) == 1
                    else env._("our reminders of %s", joined))
            else:
                parts.append(
                    env._("our request for payment of %s", joined) if len(found) == 1
                    else env._("our requests for payment of %s", joined))
        return self._join_words(env, parts)

    @api.model
    def _join_words(self, env, words):
        if len(words) < 2:
            return ''.join(words)
        return env._("%(first)s and %(last)s", first=', '.join(words[:-1]), last=words[-1])

    @api.depends('line_ids.drop_reason', 'line_ids.amount_residual', 'line_ids.amount_netted', 'lang', 'amount_due',
                 'amount_held', 'amount_interest', 'amount_costs', 'claim_data', 'date', 'deadline', 'legal_role')
    def _compute_mail_blocks(self):
        """The table of items and how to pay, for the texts of e-mails."""
        Letter = self.env['dunning.letter']
        for (company, lang), notices in self.grouped(lambda notice: (notice.company_id, notice.lang)).items():
            notices = notices.with_context(lang=lang)
            qweb = notices.env['ir.qweb']
            shared = Letter.with_context(lang=lang)._prepare_company(company, lang) if company else {}
            letters = Letter.with_context(lang=lang)._prepare_letters(notices, shared, mail=True)
            for notice, letter in zip(notices, letters, strict=True):
                values = {'object': notice, 'letter': letter, 'company': shared}
                for field, template in MAIL_BLOCKS.items():
                    notice[field] = qweb._render(template, values, minimal_qcontext=True).strip()

    @api.model
    def _group_expand_level_id(self, levels, domain):
        return levels.search([('policy_id', 'in', levels.policy_id.ids)]) if levels else levels

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not is_recording(self.env):
            raise UserError(self.env._(
                "Notices are made by the scheduled action or by “Send reminder” on invoices and contacts, "
                "so that nothing wrong leaves.",
            ))
        names = self._next_names(sum(not vals.get('name') for vals in vals_list))
        for vals in vals_list:
            if not vals.get('name'):
                vals['name'] = names.pop(0)
        return super().create(vals_list)

    @api.model
    def _next_names(self, count):
        """Draw ``count`` numbers from the sequence of notices, in one query."""
        if not count:
            return []
        if self.env.context.get('dunning_preview') is RECORDING:  # not something a browser can say
            return [''] * count  # made to be looked at: draws no number
        # sudo: users may number, not read sequences
        sequence = self.env.ref('l10n_nl_dunning.sequence_notice').sudo().with_context(
            ir_sequence_date=fields.Date.to_string(self.env.company._dunning_today()))
        if sequence.implementation != 'standard' or sequence.use_date_range:
            return [sequence.next_by_id() for _i in range(count)]
        numbers = self.env.execute_query(SQL(
            "SELECT nextval(%s) FROM generate_series(1, %s)", 'ir_sequence_%03d' % sequence.id, count))
        # As get_next_char does, with the date looked at once.
        prefix, suffix = sequence._get_prefix_suffix()
        return [f"{prefix}{number:0{sequence.padding}d}{suffix}" for (number,) in numbers]

    def write(self, vals):
        if not is_recording(self.env):
            self._check_user_write(vals)
        return super().write(vals)

    def _check_user_write(self, vals):
        names = {name for name in vals if not name.startswith(MIXIN_PREFIXES)}
        if not names:
            return
        final = self.filtered(lambda notice: notice.state in FINAL_STATES)
        if final:
            raise UserError(self.env._(
                "%(notice)s has left or was closed, so it cannot be changed any more. "
                "It is the proof of what the debtor was told.",
                notice=final[:1].display_name,
            ))
        if names - USER_WRITABLE_HANDED_OUT and any(notice.state in ('todo', 'to_post') for notice in self):
            raise UserError(self.env._(
                "The letter was made or the call was handed out already, so only the note can be changed. "
                "Cancel the notice to let it be planned again.",
            ))
        if names - USER_WRITABLE:
            raise UserError(self.env._(
                "A notice follows from the due items and the policy. By hand only its channel, recipient, language "
                "and note can be changed; use the buttons to approve, send or cancel it.",
            ))

    def unlink(self):
        # The chatter deletes its messages before the guards are asked; ask first.
        self._unlink_except_final()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_final(self):
        for notice in self:
            if notice.state not in ('draft', 'cancelled') or notice.sent_on:
                raise UserError(self.env._(
                    "%(notice)s cannot be deleted. A proposal or a notice in the queue can be cancelled.",
                    notice=notice.display_name,
                ))

    # -------------------------------------------------------------------------
    # MAKING NOTICES OUT OF DECISIONS
    # -------------------------------------------------------------------------

    @api.model
    def _create_from_decisions(self, company, decisions, at_date, *, origin='scheduled', state='draft', forced=False):
        """Make notices of due decisions: one per debtor, currency, recipient and what can be said in one message.

        Items join a proposal that already waits for the same. A notice is of the highest level of its items.

        :param decisions: :class:`Decision` list of ``company``, only those that are due
        :return: the notices, new and joined
        """
        groups = defaultdict(list)
        for decision in decisions:
            groups[decision.message].append(decision)
        highest = {key: max(group, key=lambda decision: decision.level_rank) for key, group in groups.items()}
        waiting = self._get_waiting_proposals(company, groups) if state == 'draft' else {}
        Notice = self._recording()
        Line = Notice.env['dunning.notice.line']
        new_keys = [key for key in groups if key not in waiting]
        created = Notice._insert(
            [
                {
                    'company_id': company.id,
                    'state': state,
                    'origin': origin,
                    'forced': forced,
                    'date_planned': at_date,
                    **self._prepare_from_decisions(groups[key], highest[key]),
                }
                for key in new_keys
            ],
            [groups[key] for key in new_keys])
        ids = dict(zip(new_keys, created.ids, strict=True)) | {key: notice.id for key, notice in waiting.items()}
        Line._insert([
            Line._prepare_from_decision(company.id, ids[key], decision)
            for key, group in groups.items() for decision in group
        ], created)
        made = self.browse([ids[key] for key in groups])
        self.browse([notice.id for notice in waiting.values()])._settle_joined(
            [decision for key in waiting for decision in groups[key]])
        made._update_claim(at_date)
        return made

    @api.model
    def _prepare_from_decisions(self, decisions, head):
        """Return what a new notice of these decisions says.

        :param head: the one of the highest level
        """
        return {
            'partner_id': head.partner_id,
            'currency_id': head.currency_id,
            'recipient_id': head.recipient_id,
            'level_id': head.level_id,
            'channel': head.channel,
            'backlog': any(decision.backlog for decision in decisions),
            **self._prepare_totals(decisions),
        }

    def _settle_joined(self, decisions):
        """Put proposals right that items of ``decisions`` joined."""
        self._settle_level()

    @api.model
    def _prepare_totals(self, decisions):
        """Return the stored figures of a new notice of these decisions, as they would be computed."""
        residual = sum(decision.amount_residual for decision in decisions)
        netted = sum(decision.amount_netted for decision in decisions)
        held = sum(decision.amount_held for decision in decisions)
        principal = residual - netted - held
        return {
            'line_count': len(decisions),
            'amount_residual': residual,
            'amount_netted': netted,
            'amount_held': held,
            'amount_principal': principal,
            'amount_interest': 0.0,
            'amount_costs': 0.0,
            'amount_announced': 0.0,
            'amount_due': principal,
            'amount_due_company': sum(decision.amount_company for decision in decisions),
            'oldest_due_date': min(
                (decision.due_date for decision in decisions if decision.due_date), default=False),
        }

    def _insert(self, vals_list, groups):
        """Make notices in one statement; not tracked, since a new notice has no followers and no log.

        :param vals_list: dicts of columns, with the totals of their lines-to-be; the rest follows
        :param groups: the decisions of each
        """
        self.check_access('create')
        if not vals_list:
            return self.browse()
        defaults = self.default_get(['author_id'])
        names = self._next_names(len(vals_list))
        langs = self._get_langs_of(vals_list)
        levels = self.env['dunning.level'].browse({vals['level_id'] for vals in vals_list})
        policies = {level.id: level.policy_id.id for level in levels}
        currencies = self.env['res.currency'].browse({vals['currency_id'] for vals in vals_list})
        places = {currency.id: currency.decimal_places for currency in currencies}
        company_places = self.env['res.company'].browse(vals_list[0]['company_id']).currency_id.decimal_places
        for vals, name, lang in zip(vals_list, names, langs, strict=True):
            vals.update(defaults, name=name, lang=lang, policy_id=policies[vals['level_id']])
            digits = places[vals['currency_id']]
            for total, amount in vals.items():
                if amount and total.startswith('amount_'):
                    # Sums of rounded amounts: only what adding floats left over is to go.
                    vals[total] = round(amount, company_places if total == 'amount_due_company' else digits)
        computed, joins = self._get_computed_sql(vals_list, groups)
        created = self.browse(insert_rows(self, vals_list, computed=computed, joins=joins, alias='notice'))
        # What goes on with them need not read again what was just written.
        for name in ('company_id', 'partner_id', 'currency_id', 'recipient_id', 'level_id', 'policy_id', 'channel',
                     'state', 'origin', 'name', 'lang', 'date_planned'):
            self._fields[name]._insert_cache(created, [vals[name] or None for vals in vals_list])
        created.check_access('create')
        for field in self._fields.values():
            if field.store and field.compute and field.name not in vals_list[0] and field.name not in computed:
                self.env.add_to_compute(field, created)
        self.env['res.partner'].invalidate_model(['dunning_notice_ids'])
        return created

    @api.model
    def _get_langs_of(self, vals_list):
        """Return the language of each of these notices-to-be."""
        Level = self.env['dunning.level']
        recipients = self.env['res.partner'].browse([vals['recipient_id'] for vals in vals_list])
        recipients._read_dunning_lang()
        langs, found = [], {}
        for vals, recipient in zip(vals_list, recipients, strict=True):
            key = vals['level_id'], recipient._get_dunning_lang()
            if key not in found:
                found[key] = Level.browse(key[0]).policy_id._nearest_letter_lang(key[1])
            langs.append(found[key])
        return langs

    @api.model
    def _get_computed_sql(self, vals_list, groups):
        """Return what the database works out while it inserts notices.

        :param vals_list: dicts of columns of new notices
        :param groups: the decisions of each
        :return: ``{column: SQL}`` over the row ``notice``, and SQL of what is joined for it
        """
        return {}, SQL()

    def _update_claim(self, at_date):
        """Write down the interest and collection costs that these notices ask on ``at_date``, in batches."""
        levels = self.level_id.filtered(lambda level: level._is_claiming())
        claiming = self.filtered(lambda notice: notice.level_id in levels) if levels else self.browse()
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

    def _get_waiting_proposals(self, company, keys):
        """Return ``{key: notice}`` of the proposals that items of these groups can join."""
        proposals = self.search([
            ('company_id', '=', company.id), ('state', '=', 'draft'),
            ('partner_id', 'in', [key[0] for key in keys]),
        ]).try_lock_for_update()  # nobody may send a proposal while an item joins it
        found = {
            (n.partner_id.id, n.currency_id.id, n.recipient_id.id, n.level_id._get_said(n.channel)): n
            for n in proposals}
        return {key: found[key] for key in keys if key in found}

    # -------------------------------------------------------------------------
    # ACTIONS OF USERS
    # -------------------------------------------------------------------------

    def action_approve(self):
        """Put proposals (and failed notices) into the queue and wake the dispatcher."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        todo._queue()
        self.env['dunning.dispatcher']._trigger()
        return self._notify_result(self.env._("%(count)s notices are on their way.", count=len(todo)), todo)

    def action_retry(self):
        """Put failed notices back into the queue."""
        return self.filtered(lambda notice: notice.state == 'error').action_approve()

    def action_send_now(self):
        """Send the notices at once, in this request, and say what became of each."""
        self.check_access('write')
        self.filtered(lambda notice: notice.state in ('draft', 'error'))._queue()
        self.env['dunning.dispatcher']._dispatch_interactively(self)
        return self._notify_outcome()

    def action_cancel(self):
        """Cancel notices that did not leave yet; their items can be planned again."""
        self.check_access('write')
        todo = self.filtered(lambda notice: notice.state in PENDING_STATES)
        todo._cancel(self.env._("Cancelled by %s.", self.env.user.name))
        return True

    def action_done(self):
        """Record that the call was made or the task was done: the level rises."""
        self.check_access('write')
        today = self.env.company._dunning_today()
        todo = self.filtered(lambda notice: notice.state == 'todo')
        # The date was so far the day it was handed out.
        todo._recording().write({'date': today, 'deadline': False})
        todo._record_sent(today)
        return True

    def action_skip(self):
        """Pass the call or task over: the ladder goes on, the level does not rise."""
        self.check_access('write')
        self.filtered(lambda notice: notice.state == 'todo')._skip(self.env.company._dunning_today())
        return True

    def action_print_pile(self):
        """Print the letters to post as one PDF in postal order."""
        return self.env['dunning.letter']._action_print_pile(self)

    def action_mark_posted(self):
        """Record that printed letters were posted: the level rises now."""
        self.check_access('write')
        letters = self.filtered(lambda notice: (
            notice.state in ('to_post', 'sent') and notice.postal_state in ('to_print', 'printed')))
        if not letters:
            raise UserError(self.env._("None of the selected notices is a letter that waits to be posted."))
        unprinted = letters.filtered(lambda notice: notice.postal_state == 'to_print')
        if unprinted:
            raise UserError(self.env._(
                "%(count)s of the selected letters were not printed yet (%(notice)s). Print them first.",
                count=len(unprinted), notice=unprinted[:1].display_name))
        today = self.env.company._dunning_today()
        letters._recording().write({'postal_state': 'posted', 'posted_on': today, 'posted_by_id': self.env.uid})
        sent = letters.filtered(lambda notice: notice.state == 'to_post')
        sent._record_sent(today)
        (letters - sent)._record_posted(today)  # paper after an e-mail
        self.env['dunning.dispatcher']._schedule_activities(sent, today)
        return self._notify_result(self.env._("%(count)s letters marked as posted.", count=len(letters)), letters)

    def action_preview(self):
        """Show the letter as it would look today; nothing is stored."""
        self.ensure_one()
        return self.env['dunning.letter']._action_preview(self)

    def action_open_invoices(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('account.action_move_out_invoice_type')
        action['domain'] = [('id', 'in', self.line_ids.move_id.ids)]
        return action

    def action_dunning_send(self):
        """Open the send wizard for these proposals."""
        return self.env['dunning.send']._action_open(notices=self)

    def _get_action_show(self):
        """Return the action that shows exactly these notices."""
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
        action.update({'domain': [('id', 'in', self.ids)], 'context': {'create': False}, 'target': 'current'})
        if len(self) == 1:
            action.update({'res_id': self.id, 'view_mode': 'form', 'views': [(False, 'form')]})
        return action

    def _notify_result(self, message, notices=None, kind='success'):
        """Return a client notification with a button that shows the notices.

        Own client action: a link of ``display_notification`` opens an address, which cannot say which records.
        """
        notices = self if notices is None else notices
        params = {'type': kind, 'message': message, 'next': {'type': 'ir.actions.act_window_close'}}
        if notices:
            params['button'] = {
                'name': self.env._("Show it") if len(notices) == 1 else self.env._("Show them"),
                'action': notices._get_action_show(),
            }
        return {'type': 'ir.actions.client', 'tag': 'l10n_nl_dunning.notification', 'params': params}

    def _notify_outcome(self):
        """Return a notification that says what became of the notices after sending at once."""
        by_state = self.grouped('state')
        labels = dict(self._fields['state']._description_selection(self.env))
        counts = ", ".join(f"{labels[state]}: {len(group)}" for state, group in by_state.items())
        return self._notify_result(counts, self, 'warning' if 'error' in by_state else 'success')

    # -------------------------------------------------------------------------
    # RECORDING
    # -------------------------------------------------------------------------

    def _recording(self):
        """Return the notices in the context in which the dispatcher records what happened.

        Only code can set it: the write guard is about users and integrations.
        """
        # Without defaults of a client: they would fill in what only the program records.
        return self.with_env(self.env(context=clean_context(self.env.context))).with_context(
            dunning_recording=RECORDING, mail_create_nosubscribe=True, mail_create_nolog=True, mail_notrack=True)

    def _queue(self):
        self._recording().write({'state': 'queued', 'author_id': self.env.uid, 'error_message': False})

    def _cancel(self, reason):
        self._recording().write({'state': 'cancelled', 'cancel_reason': reason})
        self._unlink_level_activities()

    def _skip(self, at_date):
        self._recording().write({
            'state': 'skipped', 'date': at_date, 'deadline': at_date, 'sent_on': False,
        })
        self._unlink_level_activities()
        self._log_everywhere(lambda notice, env: env._(
            "%(level)s was passed over.", level=notice.level_id.name))

    def _mark_failed(self, message):
        """Take the notice out of the queue with a message a user can act on."""
        self._recording().write({'state': 'error', 'error_message': message})

    def _record_sent(self, at_date):
        """Record that the notices left: from now on the level of their items is theirs.

        A letter keeps the date and the deadline printed on it.
        """
        now = fields.Datetime.now()
        for (term, date, deadline), notices in self.grouped(
            lambda notice: (notice._get_term_days(), notice.date, notice.deadline)
        ).items():
            date = date or at_date
            notices._recording().write({
                'state': 'sent',
                'sent_on': now,
                'date': date,
                'deadline': deadline or date + timedelta(days=term),
                'error_message': False,
                'waiting_reason': False,
            })
        posted = self.filtered(lambda notice: notice.postal_state == 'posted')
        posted._record_posted(at_date)  # the term of a letter counts from the day it was posted
        (self - posted)._update_receipt()
        self._unlink_level_activities()
        self._log_everywhere(lambda notice, env: env._(
            "%(level)s of %(date)s for %(amount)s, %(channel)s.",
            level=notice._get_link(notice.level_id.name),
            date=format_date(env, notice.date),
            amount=format_amount(env, notice.amount_due, notice.currency_id),
            channel=dict(notice._fields['channel']._description_selection(env))[notice.channel].lower(),
        ))

    def _unlink_level_activities(self):
        """Remove what a level planned for a person: it was done."""
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.filtered('automated').unlink()

    def _get_link(self, label):
        self.ensure_one()
        return Markup('<a href="#" data-oe-model="dunning.notice" data-oe-id="%s">%s</a>') % (self.id, label)

    def _log_everywhere(self, get_body):
        """Log one line on each invoice and each debtor of the notices, in two batches."""
        move_bodies, partner_bodies = {}, {}
        for notice in self:
            # Chatter is for the users of the company, not for the debtor. The scheduled action has no language.
            notice = notice.with_context(lang=self.env.lang or notice.company_id.partner_id.lang)
            body = get_body(notice, notice.env)
            for move in notice.live_line_ids.move_id:
                move_bodies[move.id] = (
                    move_bodies[move.id] + Markup("<br/>") + body if move.id in move_bodies else body)
            partner = notice.partner_id.id
            partner_bodies[partner] = (
                partner_bodies[partner] + Markup("<br/>") + body if partner in partner_bodies else body)
        cleaned = {}  # most debtors read the same line on their invoices and on themselves
        log_on(self.env['account.move'].browse(move_bodies), move_bodies, cleaned)
        log_on(self.env['res.partner'].browse(partner_bodies), partner_bodies, cleaned)

    # -------------------------------------------------------------------------
    # ADDRESS
    # -------------------------------------------------------------------------

    def _get_email(self):
        """Return the address the notice is mailed to: the recipient's, else the debtor's; or an empty string.

        An address that a reminder came back from is none.
        """
        self.ensure_one()
        for person in (self.recipient_id, self.partner_id):
            if person.email_normalized and not person.dunning_email_bounced_on:
                return person.email_formatted
        return ''

    def _get_postal_partner(self):
        """Return the partner whose address is on the envelope: the recipient, else the debtor."""
        self.ensure_one()
        recipient = self.recipient_id
        return recipient if recipient.street and recipient.city else self.partner_id

    def _has_postal_address(self):
        self.ensure_one()
        partner = self._get_postal_partner()
        return bool(partner.street and partner.city)

    def _get_responsible(self):
        """Return the user on whose behalf the notice goes out."""
        self.ensure_one()
        if self.author_id and not self.author_id._is_superuser():
            return self.author_id
        # sudo: which user belongs to the contact on our own letters
        contact = self.company_id.dunning_contact_id.sudo().user_ids.filtered(lambda user: not user.share)[:1]
        return contact.sudo(False) or self.partner_id.user_id or self.author_id
