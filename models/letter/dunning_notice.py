import re
from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.payment.bank_text import read_reason_code
from ...tools.wording import check_typed
from ..kernel.formats import letter_amount, letter_day
from ..ladder.dunning_level_wording import is_text_empty

# What the name of a file cannot have on every computer.
UNSAFE = re.compile(r'[\\/:*?"<>|]+')
# How many earlier contacts a letter names at most: the last ones.
HISTORY_LENGTH = 6
# Pieces of e-mails by the field that texts put them in with.
MAIL_BLOCKS = {
    'mail_items': 'l10n_nl_dunning.mail_items',
    'mail_payment': 'l10n_nl_dunning.mail_payment',
    'mail_sender': 'l10n_nl_dunning.mail_sender',
}


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    call_script = fields.Html(compute='_compute_call_script', sanitize=False)
    # Words for the texts of levels, in the language of the notice. Their help is shown with the texts.
    salutation = fields.Char(compute='_compute_words', help="How the letter opens, with the name of the addressee.")
    greeting = fields.Char(compute='_compute_words', help="How the letter ends, after the tone of the level.")
    contact_text = fields.Char(
        string="Our Contact", compute='_compute_words',
        help="Whom the debtor can call or write to, as in the settings.")
    privacy_text = fields.Char(
        string="Privacy Contact", compute='_compute_words',
        help="Where the debtor can ask what you do with his personal data.")
    amount_text = fields.Char(
        string="Amount", compute='_compute_words', help="The one amount to pay.")
    asked_text = fields.Char(
        string="Invoice and Amount", compute='_compute_words',
        help="The invoice, how many more there are, and the amount to pay: for subjects.")
    date_text = fields.Char(
        string="Date of the Letter", compute='_compute_words', help="The date of the letter.")
    deadline_text = fields.Char(
        string="Last Day to Pay", compute='_compute_words',
        help="The last day to pay. In a 14-day letter the term in words: it must not name a date.")
    term_text = fields.Char(
        string="Term in Words", compute='_compute_words',
        help="The term as the law wants it: in a 14-day letter “within fourteen days from the day after this letter "
             "was delivered to you”, in all others “by” the last day to pay.")
    enough_text = fields.Char(
        compute='_compute_words', help="That paying this amount by the last day to pay is enough for this letter.")
    days_overdue = fields.Integer(compute='_compute_words', help="Days that the oldest item is late.")
    new_line_ids = fields.One2many(
        comodel_name='dunning.notice.line', string="Items Not Told Before", compute='_compute_new_line_ids',
        help="About which the debtor heard nothing before.")
    history_text = fields.Char(
        string="Earlier Contact", compute='_compute_history_text',
        help="Earlier contacts about these items, as in “our reminder of 3 November 2026”; empty when there were none.")
    returned_text = fields.Char(
        compute='_compute_returned_text',
        help="That the bank returned the direct debit of these invoices; empty when none was, or when the debtor was "
             "told before.")
    reference = fields.Char(
        string="Payment Reference", compute='_compute_reference', help="What the debtor states with the payment.")
    # Words about the claim; not computed for letters that claim nothing but the invoices.
    principal_text = fields.Char(
        string="Principal Asked", compute='_compute_claim_words',
        help="What is asked of the invoices themselves, without interest and costs.")
    held_text = fields.Char(
        string="Amount on Hold", compute='_compute_claim_words', help="The part that is on hold and not asked.")
    interest_text = fields.Char(
        string="Amount of Interest", compute='_compute_claim_words', help="The interest to the date of the letter.")
    interest_per_day_text = fields.Char(
        string="Interest per Day", compute='_compute_claim_words',
        help="What each further day adds in interest; empty when that is less than a cent.")
    interest_name = fields.Char(
        string="Kind of Interest", compute='_compute_claim_words',
        help="Which interest it is: statutory interest, statutory commercial interest or agreed interest.")
    interest_law = fields.Char(
        string="Article on Interest", compute='_compute_claim_words',
        help="The article of the Civil Code that the interest follows from.")
    rate_text = fields.Char(
        string="Rate of Interest", compute='_compute_claim_words', help="The rate of the interest today, per year.")
    costs_text = fields.Char(
        string="Costs Asked", compute='_compute_claim_words', help="The collection costs that the letter asks.")
    interest_since_text = fields.Char(
        string="Interest Since", compute='_compute_claim_words',
        help="The first day of the interest; of several invoices the earliest.")
    interest_principal_text = fields.Char(
        string="Amount That Bears Interest", compute='_compute_claim_words',
        help="What the interest is worked out over.")
    fourteen_day_text = fields.Char(
        string="Earlier 14-Day Letter", compute='_compute_claim_words',
        help="The 14-day letter that the collection costs follow from, as in “our 14-day letter AM2026-00012 of "
             "3 November 2026”; empty when there was none.")
    costs_since_text = fields.Char(
        string="Costs Owed Since", compute='_compute_claim_words',
        help="Since when the collection costs of that 14-day letter are owed: the day after its term.")
    costs_announced_text = fields.Char(
        string="Costs Announced", compute='_compute_claim_words',
        help="The collection costs that a 14-day letter announces: owed only when its term has run out.")
    total_after_term_text = fields.Char(
        string="Total After the Term", compute='_compute_claim_words',
        help="The amount to pay and the announced collection costs together: owed when nothing was paid in the term.")
    vat_sentence = fields.Char(
        string="Sentence about VAT", compute='_compute_claim_words',
        help="Why the collection costs were raised with VAT; empty when they were not.")
    interest_waived = fields.Boolean(
        compute='_compute_claim_words', help="Whether no interest is asked of this debtor, ever.")
    mail_items = fields.Html(
        string="Table of Invoices", compute='_compute_mail_blocks', sanitize=False)
    # With the address of the debtor's page, which has the key.
    mail_payment = fields.Html(
        string="How to Pay", compute='_compute_mail_blocks', sanitize=False, groups=fields.NO_ACCESS)
    mail_sender = fields.Html(
        string="Our Signature", compute='_compute_mail_blocks', sanitize=False)
    letter_filename = fields.Char(compute='_compute_letter_filename')

    @api.depends('name', 'subject', 'line_ids.name', 'line_ids.drop_reason', 'letter_sha256')
    def _compute_letter_filename(self):
        """“Betalingsherinnering INV-2026-00048.pdf”: what a debtor finds again; of a letter that was made that name."""
        made = self._origin.filtered('letter_sha256')
        # sudo: the letter is a field of the notice, which the caller may read
        letters = self.env['ir.attachment'].sudo().search_fetch(
            self.env['dunning.letter']._get_letters_domain(made), ['name', 'res_id']) if made else ()
        names = {letter.res_id: letter.name for letter in letters}
        for notice in self:
            if notice._origin.id in names:
                notice.letter_filename = names[notice._origin.id]
                continue
            invoices = notice._get_invoice_names()
            number = invoices[0] if len(invoices) == 1 else notice.name or 'concept'
            words = ' '.join(f"{notice.subject or ''} {number}".split())
            notice.letter_filename = f"{UNSAFE.sub('-', words)}.pdf"

    def _get_invoice_names(self):
        """Return the numbers of the invoices that are asked, the oldest first, each once."""
        self.ensure_one()
        lines = self.live_line_ids.sorted(lambda line: (str(line.date_maturity or '9'), line.name or ''))
        return list(dict.fromkeys(filter(None, lines.mapped('name'))))

    def _get_asked_text(self, env):
        """Return “INV/2026/00048: € 471,90” or “INV/2026/00013 and 2 more: € 1.046,65”."""
        names = self._get_invoice_names()
        if not names:
            return self.amount_text
        if len(names) == 1:
            return f"{names[0]}: {self.amount_text}"
        return env._("%(invoice)s and %(count)s more: %(amount)s", invoice=names[0], count=len(names) - 1,
                     amount=self.amount_text)

    @api.depends('level_id.call_script', 'lang', 'state', 'channel')
    def _compute_call_script(self):
        """What to say, for a call that waits to be made; to a consumer nothing that was typed of money or rates."""
        self.call_script = False
        calls = self.filtered(lambda notice: notice.channel == 'phone' and notice.state == 'todo' and notice._origin)
        for (level, lang), notices in calls.grouped(lambda notice: (notice.level_id, notice.lang)).items():
            if is_text_empty(level.call_script):
                continue
            texts = self.env['dunning.letter']._render_level_text(level, 'call_script', lang, notices._origin)
            errors = level._find_written(level, lang)
            for notice in notices:
                text = texts.get(notice._origin.id) or ''
                # sudo: it may be in the name of a head office that the user does not see
                debtor = notice.partner_id.sudo().with_company(notice.company_id)
                consumer = debtor.dunning_effective_type == 'consumer'
                unlawful = consumer and (errors or check_typed(text, language=lang, known=level._get_known(
                    notice._origin.with_context(lang=lang), level.with_context(lang=lang).call_script)))
                notice.call_script = Markup("<p>%s</p>") % self.env._(
                    "The script of level “%(level)s” is not lawful, so it is not shown: %(sentences)s",
                    level=level.name, sentences=" ".join(level._explain_findings(unlawful))) if unlawful else text

    @api.depends('line_ids.move_id.payment_reference', 'line_ids.drop_reason', 'name')
    def _compute_reference(self):
        """What the debtor writes with his payment: the invoice's own reference when there is but one.

        An entry can be about several debtors, so its number says nothing.
        """
        for notice in self:
            moves = notice.live_line_ids.move_id
            of_invoice = len(moves) == 1 and (moves.payment_reference or (moves.move_type != 'entry' and moves.name))
            notice.reference = of_invoice or notice.name or self.env._("Reminder")

    @api.depends(
        'recipient_id', 'amount_due', 'currency_id', 'date', 'date_planned', 'deadline', 'lang', 'oldest_due_date',
        'level_id.legal_role', 'legal_role', 'company_id', 'line_ids.name', 'line_ids.drop_reason')
    def _compute_words(self):
        Letter = self.env['dunning.letter']
        for lang, notices in self.grouped('lang').items():
            env = self.with_context(lang=lang).env
            for notice in notices:
                day = notice.date or notice.date_planned
                deadline = notice.deadline or (day and notice._get_printed_deadline(day))
                fourteen_day = notice._is_fourteen_day()
                notice.salutation = notice._get_salutation()
                formal = notice.level_id.tone == 'formal'
                notice.greeting = env._("Yours faithfully,") if formal else env._("Kind regards,")
                notice.amount_text = letter_amount(self.env, notice.amount_due, notice.currency_id, lang)
                notice.asked_text = notice._get_asked_text(env)
                notice.date_text = letter_day(self.env, day, lang)
                if fourteen_day:
                    # No date: nobody knows yet on which day the debtor receives it, and one too early voids the letter.
                    notice.deadline_text = notice.term_text = Letter._get_fourteen_day_term(lang)
                else:
                    notice.deadline_text = letter_day(self.env, deadline, lang)
                    notice.term_text = env._("by %s at the latest", notice.deadline_text)
                notice.enough_text = env._(
                    "If you pay %(amount)s %(term)s, you have paid all that we ask in this letter.",
                    amount=notice.amount_text, term=notice.term_text)
                notice.days_overdue = (day - notice.oldest_due_date).days if day and notice.oldest_due_date else 0
                company = notice.company_id
                notice.contact_text = company._get_dunning_contact_text() if company else ''
                notice.privacy_text = (company and (
                    company._get_dunning_sender().email or company._get_dunning_setting('dunning_contact_id').email
                )) or notice.contact_text

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
            notice.principal_text = letter_amount(self.env, notice.amount_principal, currency, lang)
            notice.held_text = letter_amount(self.env, notice.amount_held, currency, lang)
            notice.interest_text = letter_amount(self.env, notice.amount_interest, currency, lang)
            notice.costs_text = letter_amount(self.env, notice.amount_costs, currency, lang)
            notice.costs_announced_text = letter_amount(self.env, notice.amount_announced, currency, lang)
            notice.total_after_term_text = letter_amount(self.env, after_term, currency, lang)
            notice.interest_per_day_text = facts['per_day']
            notice.interest_name = facts['name']
            notice.interest_law = facts['law']
            notice.rate_text = facts['rate']
            first, *others = facts['first_days'] or [None]
            notice.interest_since_text = letter_day(self.env, first, lang)
            if others:
                notice.interest_since_text = env._("%s, and later for later invoices", notice.interest_since_text)
            notice.interest_principal_text = facts['principal']
            letters = [
                basis for basis in (notice.claim_data or {}).get('costs_bases', ()) if basis.get('since')]
            notice.fourteen_day_text = notice._join_words(env, [
                env._("our 14-day letter %(number)s of %(date)s", number=number, date=letter_day(self.env, sent, lang))
                for sent, number in sorted({(basis['sent'], basis['notice']) for basis in letters})])
            notice.costs_since_text = notice._join_words(env, [
                letter_day(self.env, since, lang) for since in sorted({basis['since'] for basis in letters})])
            notice.interest_waived = facts['waived']
            raised = (notice.amount_announced or notice.amount_costs) and Letter._is_raised_with_vat(
                notice.claim_data or {})
            # Article 2 paragraph 3 of the decree on collection costs: only with this declaration.
            notice.vat_sentence = env._(
                "The collection costs have been raised with 21% VAT, because we cannot deduct the VAT that is charged "
                "to us for collecting them.") if raised else ''

    @api.depends('line_ids.move_line_id', 'line_ids.drop_reason', 'date', 'date_planned', 'sent_on', 'lang')
    def _compute_history_text(self):
        """Name the earlier contacts about the items: letters and mails that left, calls that were made."""
        by_item = defaultdict(lambda: self.env['dunning.notice'])
        Line = self.env['dunning.notice.line']
        lines = Line.search_fetch(
            Domain('move_line_id', 'in', self._origin.live_line_ids.move_line_id.ids) & Domain('status', '=', 'sent')
            & Line._get_standing_domain(), ['move_line_id', 'notice_id'])
        lines.notice_id.fetch(['channel', 'date', 'sent_on', 'level_id'])  # of all at once
        for line in lines:
            by_item[line.move_line_id.id] |= line.notice_id
        for notice in self:
            own, date = notice._origin, notice.date or notice.date_planned
            earlier = self.env['dunning.notice'].union(
                *(by_item[item.id] for item in own.live_line_ids.move_line_id)
            ).filtered(lambda other, own=own, date=date: (
                other != own and other.channel != 'task' and other.date and other.date <= date
                and (not own.sent_on or other.sent_on < own.sent_on)))
            notice.history_text = notice._tell_history(
                earlier.sorted(lambda other: (other.date, other.id))[-HISTORY_LENGTH:])

    @api.depends('line_ids.move_line_id', 'line_ids.drop_reason')
    def _compute_new_line_ids(self):
        """In the order of the letter."""
        Line, told = self.env['dunning.notice.line'], defaultdict(set)
        for line in Line.search_fetch(
            Domain('move_line_id', 'in', self.live_line_ids.move_line_id.ids) & Domain('status', '=', 'sent')
            & Domain('notice_id.channel', '!=', 'task') & Line._get_standing_domain(), ['move_line_id', 'notice_id'],
        ):
            told[line.move_line_id.id].add(line.notice_id.id)
        for notice in self:
            notice.new_line_ids = notice.live_line_ids.filtered(
                lambda line, own={notice._origin.id}: not told[line.move_line_id.id] - own
            ).sorted(lambda line: (line.date_maturity, line.name or '', line.id))

    @api.depends('line_ids.move_line_id', 'line_ids.drop_reason', 'lang')
    def _compute_returned_text(self):
        """Nothing but the fact: a debtor can have a direct debit returned, a consumer for eight weeks at will."""
        returns = self.live_line_ids.move_line_id._get_dunning_returns()
        for notice in self:
            env = notice.with_context(lang=notice.lang).env
            meanings, sentences = notice._get_return_meanings(env), []
            for number, day, text in notice._get_returned_lines(returns).values():
                # What a bank writes is read by nobody before it leaves: only what its code means is told.
                reason = meanings.get(read_reason_code(text))
                words = {'number': number, 'date': letter_day(env, day, notice.lang), 'reason': reason}
                sentences.append(
                    env._("Your bank returned the direct debit of invoice %(number)s on %(date)s, for this reason: "
                          "%(reason)s.", **words) if reason else
                    env._("Your bank returned the direct debit of invoice %(number)s on %(date)s.", **words))
            notice.returned_text = ' '.join(sentences)

    @api.model
    def _get_return_meanings(self, env):
        """Return ``{code of a bank: why it returned a direct debit}``, in the language of ``env``; of those that a
        debtor can be told.
        """
        blocked = env._("the account is blocked for direct debits")
        return {
            'AC01': env._("the account number is not correct"),
            'AC04': env._("the account has been closed"),
            'AC06': blocked, 'AG01': blocked, 'SL01': blocked,
            'AM04': env._("there was not enough money on the account"),
            'MD01': env._("your bank knows no mandate for it"),
            'MD06': env._("you asked your bank for the money back"),
            'MS02': env._("you refused it"),
        }

    def _get_returned_lines(self, returns):
        """Return ``{line: (number, day, reason)}`` of the lines whose direct debit was returned, of those of which the
        debtor hears for the first time, the oldest first.

        :param dict returns: of ``account.move.line._get_dunning_returns``
        """
        self.ensure_one()
        if not returns.keys() & set(self.live_line_ids.move_line_id):
            return {}
        return {line: returns[line.move_line_id] for line in self.new_line_ids if line.move_line_id in returns}

    def _is_fourteen_day(self):
        """Return whether it is a 14-day letter: by what it left as, or by its level before that."""
        self.ensure_one()
        return (self.legal_role if self.date else self.level_id.legal_role) == 'fourteen_day'

    def _get_salutation(self):
        """Return how the letter opens, after the addressee and the tone of the level."""
        self.ensure_one()
        return self.env['dunning.letter']._get_salutation(
            self.recipient_id, self.lang, formal=self.level_id.tone != 'friendly')

    def _tell_history(self, contacts):
        """Return “our reminder of 3 November 2026 and our telephone call of 10 November 2026”."""
        self.ensure_one()
        env = self.with_context(lang=self.lang).env
        dates = defaultdict(list)
        for contact in contacts:
            kind = 'call' if contact.channel == 'phone' else (
                'reminder' if contact.level_id.tone == 'friendly' else 'demand')
            date = letter_day(self.env, contact.date, self.lang)
            if date not in dates[kind]:
                dates[kind].append(date)
        parts = []
        for kind, found in dates.items():
            joined = self._join_words(env, found)
            one, more = {
                'call': (env._("our telephone call of %s", joined), env._("our telephone calls of %s", joined)),
                'reminder': (env._("our reminder of %s", joined), env._("our reminders of %s", joined)),
                'demand': (
                    env._("our request for payment of %s", joined), env._("our requests for payment of %s", joined)),
            }[kind]
            parts.append(one if len(found) == 1 else more)
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
            letters = Letter.with_context(lang=lang)._prepare_letters(notices, mail=True)
            for notice, letter in zip(notices, letters, strict=True):
                values = {'object': notice, 'letter': letter, 'company': shared}
                for field, template in MAIL_BLOCKS.items():
                    notice[field] = qweb._render(template, values, minimal_qcontext=True).strip()
