"""The words of an arrangement: what its document, its clauses and its e-mails are made of, in the debtor's language."""

from functools import partial
from types import SimpleNamespace

from lxml import html
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.law.amounts import to_decimal
from ..kernel.formats import letter_amount, letter_day


class DunningArrangementText(models.AbstractModel):
    _name = 'dunning.arrangement.text'
    _description = "Payment Arrangement"

    # Words for the texts, in the language of the arrangement.
    salutation = fields.Char(compute='_compute_words')
    is_consumer = fields.Boolean(compute='_compute_words')
    amount_text = fields.Char(string="Amount", compute='_compute_words')
    principal_text = fields.Char(string="Principal Asked", compute='_compute_words')
    interest_text = fields.Char(string="Amount of Interest", compute='_compute_words')
    costs_text = fields.Char(string="Costs Asked", compute='_compute_words')
    count_text = fields.Char(string="Instalments in Words", compute='_compute_words', help="As in “6 instalments”.")
    part_count = fields.Integer(
        string="Number of Instalments", compute='_compute_words', help="The down payment counts as one.")
    first_text = fields.Char(
        string="Day of the First Instalment", compute='_compute_words', help="The day of the first payment.")
    first_amount_text = fields.Char(string="Amount of the First Instalment", compute='_compute_words')
    last_text = fields.Char(
        string="Day of the Last Instalment", compute='_compute_words', help="The day of the last payment.")
    claim_date_text = fields.Char(
        string="Day of the Claim", compute='_compute_words', help="The day on which the debt was worked out.")
    valid_text = fields.Char(
        string="Last Day to Sign", compute='_compute_words', help="The last day on which the offer can be signed.")
    interest_name = fields.Char(compute='_compute_words')
    interest_law = fields.Char(compute='_compute_words')
    rate_text = fields.Char(
        string="Rate of Interest", compute='_compute_words', help="The rate of interest now, or empty.")
    contact_text = fields.Char(string="Our Contact", compute='_compute_words')
    sign_url = fields.Char(
        compute='_compute_sign_url', compute_sudo=True, groups=fields.NO_ACCESS,
        help="Where the debtor reads and signs it.")

    # Words for the texts, in the language of the debtor; what they are about stands in the context (``dunning_told``).
    told_salutation = fields.Char(string="Opening of the Message", compute='_compute_told')
    told_number = fields.Char(
        string="Which Instalment", compute='_compute_told', help="Which instalment it is about.")
    told_count = fields.Integer(
        string="Out of How Many", compute='_compute_told', help="How many instalments there are.")
    told_amount = fields.Char(string="To Pay Now", compute='_compute_told', help="What is to be paid.")
    told_date = fields.Char(
        string="Day of the Instalment", compute='_compute_told', help="The day of the instalments it is about.")
    told_until = fields.Char(string="Until When", compute='_compute_told', help="Until when it can still be paid.")
    told_left = fields.Char(
        string="Left of the Arrangement", compute='_compute_told', help="What is left of the arrangement.")
    told_paid = fields.Char(string="Paid of the Arrangement", compute='_compute_told', help="What was paid of it.")
    told_invoices = fields.Char(
        string="Invoices It Is About", compute='_compute_told', help="The numbers of the invoices it is about.")
    told_invoice_count = fields.Integer(string="How Many Invoices", compute='_compute_told')
    told_closed = fields.Char(string="Day It Ended", compute='_compute_told', help="The day on which it ended.")
    told_code = fields.Char(string="How It Ended", compute='_compute_told')
    told_contact = fields.Char(string="Contact for the Message", compute='_compute_told')
    told_payment = fields.Html(
        string="How to Pay This", compute='_compute_told', sanitize=False, groups=fields.NO_ACCESS)

    # -------------------------------------------------------------------------
    # WORDS OF ITS TEXTS
    # -------------------------------------------------------------------------

    @api.depends('amount_total', 'amount_principal', 'amount_interest', 'amount_costs', 'claim_data', 'claim_date',
                 'instalment_ids.date_due', 'instalment_ids.amount', 'valid_until', 'lang', 'contact_id', 'partner_id')
    def _compute_words(self):
        for arrangement in self:
            arrangement.update(arrangement._prepare_words())

    def _prepare_words(self):
        """Return the words of the texts, as they appear."""
        self.ensure_one()
        lang, currency = self._get_lang(), self.currency_id
        env, Letter = self.with_context(lang=lang).env, self.env['dunning.letter'].with_context(lang=lang)
        payments = self._get_agreed_parts()
        count = len(payments)
        data = self.claim_data or {}
        salutation = self._get_salutation(self.contact_id or self.partner_id)
        facts = Letter._get_interest_facts(SimpleNamespace(
            claim_data=data, lang=lang, currency_id=currency, date=self.claim_date)) if data else {}

        say = partial(letter_amount, self.env, currency=currency, lang=lang)
        return {
            'salutation': salutation,
            'is_consumer': data.get('debtor_type', 'consumer') == 'consumer',
            'amount_text': say(self.amount_total),
            'principal_text': say(self.amount_principal),
            'interest_text': say(self.amount_interest),
            'costs_text': say(self.amount_costs),
            'count_text': env._("1 instalment") if count == 1 else env._("%s instalments", count),
            'part_count': count,
            'first_text': letter_day(self.env, payments[:1].date_due, lang),
            'first_amount_text': say(payments[:1].amount),
            'last_text': letter_day(self.env, payments[-1:].date_due, lang),
            'claim_date_text': letter_day(self.env, self.claim_date, lang),
            'valid_text': letter_day(self.env, self.valid_until, lang),
            'interest_name': facts.get('name') or '',
            'interest_law': facts.get('law') or '',
            'rate_text': facts.get('rate') or '',
            'contact_text': self.company_id._get_dunning_contact_text(),
        }

    @api.depends('access_token', 'access_url')
    def _compute_sign_url(self):
        for arrangement in self:
            arrangement.sign_url = bool(arrangement._origin.id) and arrangement._get_page_url()

    # -------------------------------------------------------------------------
    # WORDS OF A MESSAGE
    # -------------------------------------------------------------------------

    @api.depends('instalment_ids.amount_left', 'amount_left', 'amount_paid', 'state', 'lang')
    @api.depends_context('dunning_told')
    def _compute_told(self):
        for arrangement in self:
            arrangement.update(arrangement._prepare_told())

    def _prepare_told(self):
        """Return the words of the texts, as they appear."""
        self.ensure_one()
        kind, part_ids, item_ids = self.env.context.get('dunning_told') or ('', (), ())
        lang = self._get_lang()
        env = self.with_context(lang=lang).env
        parts = self._get_parts().filtered(lambda part: part.id in part_ids)
        items = self.env['account.move.line'].browse(item_ids)
        moves = items.move_id if items else self.move_ids.filtered(
            lambda move: move in self.line_ids.filtered(lambda line: not line.is_booking).move_id)
        amount = self._get_told_amount(kind, parts, items)
        until = self.new_invoice_last_date if kind == 'new_invoice' else max(
            filter(None, parts.mapped('last_date')), default=False)
        numbers = [part.sequence for part in parts]
        say = self.env['dunning.notice']._join_words
        words = {
            'told_salutation': self._get_salutation(),
            'told_number': say(env, [str(number) for number in numbers]),
            'told_count': len(self.instalment_ids),
            'told_amount': letter_amount(self.env, amount, self.currency_id, lang),
            'told_date': say(env, [letter_day(self.env, part.date_due, lang) for part in parts]) if parts else (
                say(env, [letter_day(self.env, item._get_dunning_due_date(), lang) for item in items])),
            'told_until': letter_day(self.env, until, lang),
            'told_left': letter_amount(self.env, self.amount_left, self.currency_id, lang),
            'told_paid': letter_amount(self.env, self.amount_paid, self.currency_id, lang),
            'told_invoices': say(env, [move.name or '' for move in moves.sorted('invoice_date')]),
            'told_invoice_count': len(moves),
            'told_closed': letter_day(self.env, self.closed_on, lang),
            'told_code': self.close_code or '',
            'told_contact': self.company_id._get_dunning_contact_text(),
        }
        # Of what ended everything is due at once: there is no day to name.
        by = words['told_date'] if kind == 'reminder' else words['told_until']
        words['told_payment'] = (
            self._render_told_payment(amount, by, lang, parts, moves if items else None)
            if kind and kind != 'kept' and self.currency_id.compare_amounts(amount, 0) > 0 else Markup())
        return words

    def _get_told_amount(self, kind, parts, items):
        """Return what a message asks for, in the currency of the arrangement."""
        if kind == 'broken':
            return self._get_claim_left()
        return sum(parts.mapped('amount_left')) + sum(items.mapped('amount_residual_currency'))

    def _get_claim_left(self):
        """Return what is owed on its items today, with the interest and costs that are part of it."""
        self.ensure_one()
        company = self.company_id
        items = self._get_own_items().filtered(lambda item: item.parent_state == 'posted')
        if not items:
            return 0.0
        Claim = self.env['dunning.claim'].with_company(company)
        claimed = Claim._replace_bookings(items)
        claim = Claim._compute(claimed, company._dunning_today(), **self._get_claimed_extras(claimed, self))
        return max(float(claim.total), float(sum(
            to_decimal(item.amount_residual_currency, self.currency_id.decimal_places) for item in items)))

    # -------------------------------------------------------------------------
    # CLAUSES
    # -------------------------------------------------------------------------

    def _get_clauses_template(self):
        """Return the ``mail.template`` that holds the clauses: those for consumers, or for who does business."""
        self.ensure_one()
        kind = 'consumer' if self.is_consumer else 'business'
        # sudo: as for any template, its author's rights count
        template = self.env.ref(
            f'l10n_nl_dunning.mail_template_arrangement_{kind}', raise_if_not_found=False)
        if not template:
            raise UserError(self.env._(
                "The text of payment arrangements is gone: the e-mail template was deleted. Update the app to get it "
                "back."))
        return template.sudo()  # sudo: as for any template, its author's rights count

    def _render_clauses(self, lang):
        """Return the clauses as a list of HTML: each a numbered heading with what belongs to it."""
        self.ensure_one()
        Letter, template = self.env['dunning.letter'], self._get_clauses_template()
        try:
            # sudo: what a text reads was worked out for the debtor; the caller may read the arrangement
            text = Letter._render_qweb(
                Letter._get_text(template, 'body_html', lang), self.sudo().with_context(lang=lang))[self.id]
        except Exception as error:
            cause = error.__cause__ or error
            raise UserError(self.env._(
                "The text “%(template)s” cannot be used in %(lang)s: %(error)s. Correct it under Settings, Technical, "
                "Email Templates.", template=template.name, lang=lang,
                error=(str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip('.'))) from error
        return self._number_clauses(Letter._make_self_contained(text))

    @api.model
    def _number_clauses(self, text):
        """Return the parts of a text, of which each stays on one page: a numbered heading and what follows it."""
        root = html.fragment_fromstring(text or '', create_parent='div')
        while len(root) == 1 and root[0].tag == 'div' and not (root.text or '').strip():
            root = root[0]  # only wrapped
        clauses, clause, number = html.Element('div'), None, 0
        if (root.text or '').strip():  # written without a paragraph
            clause = html.Element('div', {'class': 'clause'})
            clause.text = root.text
            clauses.append(clause)
        for node in list(root):
            heading = node.tag == 'p' and 'heading' in (node.get('class') or '').split()
            if heading or clause is None:
                clause = html.Element('div', {'class': 'clause'})
                clauses.append(clause)
            if heading:
                number += 1
                node.text = f"{number}. {(node.text or '').lstrip()}"
            clause.append(node)
        return [html.tostring(node, encoding='unicode') for node in clauses]
