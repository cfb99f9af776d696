import base64
import hashlib
import io
from types import SimpleNamespace

from lxml import html
from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime
from odoo.tools.image import image_data_uri, image_process
from odoo.tools.pdf import PdfFileReader

from ...tools.wording import ARRANGEMENT, ERROR, LetterFacts, check_letter
from ..letter.dunning_debtor_mail import QR_NAME
from ..letter.dunning_letter import LetterDocument

# Of ``document_data``; a later one may be read differently.
FORMAT = 1
# A few pages photographed with a telephone; more than that is something else.
SCAN_BYTES = 10 * 1024 * 1024
SCAN_PIXELS = 60_000_000
SCAN_TYPES = {'PDF': 'application/pdf', 'PNG': 'image/png', 'JPEG': 'image/jpeg'}


class DunningArrangement(models.Model):
    _name = 'dunning.arrangement'
    _inherit = ['dunning.arrangement', 'dunning.debtor.mail']

    document_data = fields.Json(
        readonly=True, copy=False, groups='account.group_account_readonly,account.group_account_invoice',
        help="What the debtor read when it was offered, as text.")
    offer_channel = fields.Selection(
        selection=[('email', "E-mail"), ('letter', "Letter")], string="Offered By Way Of", readonly=True, copy=False)
    offer_email_to = fields.Char(string="Offer E-mailed To", readonly=True, copy=False)
    offer_printed_on = fields.Date(string="Offer Printed", readonly=True, copy=False)
    agreement_email_to = fields.Char(string="Agreement E-mailed To", readonly=True, copy=False)

    # Words for the texts, in the language of the arrangement.
    salutation = fields.Char(compute='_compute_words')
    is_consumer = fields.Boolean(compute='_compute_words')
    amount_text = fields.Char(compute='_compute_words')
    principal_text = fields.Char(compute='_compute_words')
    interest_text = fields.Char(compute='_compute_words')
    costs_text = fields.Char(compute='_compute_words')
    count_text = fields.Char(compute='_compute_words', help="As in “6 instalments”.")
    part_count = fields.Integer(compute='_compute_words', help="The down payment counts as one.")
    first_text = fields.Char(compute='_compute_words', help="The day of the first payment.")
    first_amount_text = fields.Char(compute='_compute_words')
    last_text = fields.Char(compute='_compute_words', help="The day of the last payment.")
    claim_date_text = fields.Char(compute='_compute_words', help="The day on which the debt was worked out.")
    valid_text = fields.Char(compute='_compute_words', help="The last day on which the offer can be signed.")
    interest_name = fields.Char(compute='_compute_words')
    interest_law = fields.Char(compute='_compute_words')
    rate_text = fields.Char(compute='_compute_words', help="The rate of interest now, or empty.")
    contact_text = fields.Char(compute='_compute_words')
    sign_url = fields.Char(compute='_compute_sign_url', help="Where the debtor reads and signs it.")
    mail_payment = fields.Html(compute='_compute_mail_payment', sanitize=False)

    # -------------------------------------------------------------------------
    # WORDS
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
        facts = Letter._get_interest_facts(SimpleNamespace(
            claim_data=data, lang=lang, currency_id=currency, date=self.claim_date)) if data else {}

        def say(amount):
            return Letter._format_amount(amount, currency, lang)

        return {
            'salutation': self._get_salutation(self.contact_id or self.partner_id),
            'is_consumer': data.get('debtor_type', 'consumer') == 'consumer',
            'amount_text': say(self.amount_total),
            'principal_text': say(self.amount_principal),
            'interest_text': say(self.amount_interest),
            'costs_text': say(self.amount_costs),
            'count_text': env._("1 instalment") if count == 1 else env._("%s instalments", count),
            'part_count': count,
            'first_text': Letter._format_date(payments[:1].date_due, lang),
            'first_amount_text': say(payments[:1].amount),
            'last_text': Letter._format_date(payments[-1:].date_due, lang),
            'claim_date_text': Letter._format_date(self.claim_date, lang),
            'valid_text': Letter._format_date(self.valid_until, lang),
            'interest_name': facts.get('name') or '',
            'interest_law': facts.get('law') or '',
            'rate_text': facts.get('rate') or '',
            'contact_text': self.company_id._get_dunning_contact_text(),
        }

    @api.depends('access_token', 'access_url')
    def _compute_sign_url(self):
        for arrangement in self:
            arrangement.sign_url = bool(arrangement._origin.id) and (
                f"{arrangement.get_base_url()}{arrangement.get_portal_url()}")

    @api.depends('state', 'instalment_ids.amount_left', 'instalment_ids.state', 'lang')
    def _compute_mail_payment(self):
        for arrangement in self:
            arrangement.mail_payment = arrangement._render_payment(f'cid:{QR_NAME}')

    def _get_lang(self):
        # OVERRIDE: chosen when it was drawn up.
        self.ensure_one()
        return self._get_installed_lang(self.lang) if self.lang else super()._get_lang()

    def _get_mail_recipient(self):
        """Return who is written to by e-mail; an empty record when nobody can be."""
        return self._get_recipient()

    def _get_agreed_parts(self):
        """Return what was agreed to be paid, in the order in which that is done; what interest comes to is not."""
        return self.instalment_ids.filtered(lambda part: part.kind != 'interest').sorted(
            lambda part: (part.date_due, part.sequence, part.id))

    def _get_reference(self):
        """Return what the debtor states when he pays."""
        self.ensure_one()
        return self.name or ''

    def _get_next_payment(self):
        """Return the first instalment that is still to be paid, or an empty record."""
        self.ensure_one()
        return self.instalment_ids.filtered(lambda part: (
            part.state not in ('paid', 'cancelled')
            and self.currency_id.compare_amounts(part.amount_left, 0) > 0
        )).sorted(lambda part: (part.date_due, part.sequence, part.id))[:1]

    def _render_payment(self, qr_source):
        """Return how to pay the next instalment, as HTML for an e-mail, in the language of the debtor."""
        self.ensure_one()
        part = self._get_next_payment()
        if not part:
            return Markup()
        lang = self._get_lang()
        Letter = self.env['dunning.letter'].with_context(lang=lang)
        bank, amount = self._get_bank(), Letter._format_amount(part.amount_left, self.currency_id, lang)
        return Letter.env['ir.qweb']._render('l10n_nl_dunning.promise_mail_payment', {
            'promise': self,
            'amount': amount,
            'date': Letter._format_date(part.date_due, lang),
            'iban': Letter._format_iban(bank.acc_number),
            'holder': bank.acc_holder_name or bank.partner_id.name or self.company_id.name,
            'reference': self._get_reference(),
            'links': [{'name': self.name, 'amount': amount, 'url': self.sign_url}] if self.sign_url else [],
            'online': self._can_pay_online(),
            'qr': qr_source if self._get_qr(part.amount_left, self._get_reference()) else '',
        }, minimal_qcontext=True)

    # -------------------------------------------------------------------------
    # WHAT IT SAYS
    # -------------------------------------------------------------------------

    def _prepare_document(self):
        """Return what the proposal and the agreement say: text only, so that it reads the same in ten years.

        Amounts and dates are as they are printed, in the language of the arrangement.
        """
        self.ensure_one()
        lang = self._get_lang()
        local = self.with_context(lang=lang)
        env, Letter = local.env, local.env['dunning.letter']
        company, data = local.company_id, self.claim_data or {}
        shared = Letter._prepare_company(company, lang)
        bank, reference = local._get_bank(), local._get_reference()
        payments = local._get_agreed_parts()
        words = local._prepare_words()
        debtor = env['dunning.claim']._prepare_debtor(local.partner_id, {
            'debtor_type': data.get('debtor_type') or 'consumer'})
        person = local.contact_id
        return {
            'format': FORMAT,
            'lang': lang,
            'number': self.name,
            'date': Letter._format_date(self.claim_date, lang),
            'valid_until': words['valid_text'],
            'address': Letter._get_address_lines(local._get_addressee()),
            'company': {
                'name': company.name,
                'lines': list(filter(None, [shared['street'], shared['place'], shared['country']])),
                'numbers': [list(pair) for pair in shared['numbers'][:2]
                            if pair[1] in (company.company_registry, company.vat)],
            },
            'debtor': {
                'name': debtor['name'],
                'lines': debtor['lines'],
                'numbers': [list(pair) for pair in debtor['numbers']],
                'person': env._("represented by %s", person.name) if (
                    person and person != local.partner_id and not person.is_company) else '',
            },
            'consumer': words['is_consumer'],
            'salutation': words['salutation'],
            'currency': self.currency_id.name,
            'total': words['amount_text'],
            'count': words['count_text'],
            'single': words['part_count'] == 1,
            'first': words['first_text'],
            'last': words['last_text'],
            **local._prepare_debt(lang),
            'payments': local._prepare_payments(lang),
            'pay': {
                'amount': words['first_amount_text'],
                'date': words['first_text'],
                'iban': Letter._format_iban(bank.acc_number),
                'holder': bank.acc_holder_name or bank.partner_id.name or company.name,
                'reference': reference,
                'qr': local._get_qr(payments[:1].amount, reference),
            },
            # With what is wrong in the language of who offers it.
            'clauses': self._render_clauses(lang),
            'sign_url': local.sign_url or '',
            'contact': words['contact_text'],
        }

    def _prepare_debt(self, lang):
        """Return the table of what is owed, and its sums."""
        self.ensure_one()
        Letter = self.env['dunning.letter']
        entries = {entry['item_id']: entry for entry in (self.claim_data or {}).get('items', ())}

        def say(amount):
            return Letter._format_amount(amount, self.currency_id, lang, symbol=False)

        def say_date(day):
            return Letter._format_date(fields.Date.to_date(day), lang, short=True)

        rows = []
        lines = self.line_ids.sorted(lambda line: (line.date_due, line.name or '', line.id))
        for line in lines.filtered(lambda line: not line.is_booking):
            entry = entries.get(line.move_line_id.id, {})
            rows.append({
                'name': line.name or '',
                'date': say_date(entry.get('invoice_date') or line.move_id.invoice_date),
                'due': say_date(line.date_due),
                'principal': say(line.amount_principal),
                'interest': say(line.amount_interest),
                'costs': say(line.amount_costs),
                'total': say(line.amount_total),
            })
        return {
            'lines': rows,
            # Invoices for interest and costs of the others: in the sums already.
            'booked': [line.name or '' for line in lines if line.is_booking],
            'has_extras': not self.currency_id.is_zero(self.amount_interest + self.amount_costs),
            'has_interest': not self.currency_id.is_zero(self.amount_interest),
            'has_costs': not self.currency_id.is_zero(self.amount_costs),
            'sums': {
                'principal': say(self.amount_principal), 'interest': say(self.amount_interest),
                'costs': say(self.amount_costs), 'total': say(self.amount_total)},
        }

    def _prepare_payments(self, lang):
        """Return the table of what is paid when, with what is left after it."""
        self.ensure_one()
        Letter, left, rows, number = self.env['dunning.letter'], self.amount_total, [], 0
        for part in self._get_agreed_parts():
            left = self.currency_id.round(left - part.amount)
            number += part.kind == 'instalment'
            rows.append({
                'number': str(number) if part.kind == 'instalment' else '',
                'kind': part.kind,
                'date': Letter._format_date(part.date_due, lang),
                'amount': Letter._format_amount(part.amount, self.currency_id, lang, symbol=False),
                'left': Letter._format_amount(left, self.currency_id, lang, symbol=False),
            })
        return rows

    def _get_addressee(self):
        """Return what :meth:`_get_address_lines` of letters asks about: whom the window of the envelope shows."""
        self.ensure_one()
        person = self.contact_id or self.partner_id
        address = next((
            partner for partner in (person | self.partner_id) if partner._has_dunning_address()), self.partner_id)
        return SimpleNamespace(
            partner_id=self.partner_id, recipient_id=person, company_id=self.company_id, lang=self._get_lang(),
            _get_postal_partner=lambda: address)

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

    def _check_document(self, document):
        """Raise when the document would say what is not so, or what the law does not allow.

        :param dict document: of :meth:`_prepare_document`
        """
        self.ensure_one()
        currency, total = self.currency_id, self.amount_total
        sums = {
            'lines': sum(self.line_ids.mapped('amount_total')),
            'payments': sum(self._get_agreed_parts().mapped('amount')),
            'parts': self.amount_principal + self.amount_interest + self.amount_costs,
        }
        wrong = [name for name, amount in sums.items() if currency.compare_amounts(amount, total)]
        if wrong:
            raise UserError(self.env._(
                "The amounts of %(arrangement)s do not add up to %(total)s. Draw up a new arrangement.",
                arrangement=self.display_name, total=document['total']))
        words = self._prepare_words()
        facts = LetterFacts(
            amount_to_pay=document['total'],
            iban=document['pay']['iban'],
            costs=words['costs_text'] if document['has_costs'] else None,
            term_required=False,
            other_amounts=(
                words['principal_text'], words['interest_text'], words['costs_text'], words['first_amount_text']),
            names=tuple(filter(None, {
                self.partner_id.name, self.contact_id.name, self.company_id.name,
                self.company_id.dunning_contact_id.name, self.name})),
            quoted=tuple(filter(None, {
                *self.line_ids.mapped('name'), *document['address'], *document['debtor']['lines'],
                *document['company']['lines'], document['debtor']['person']})))
        text = self._render_document(document)
        findings = [
            finding for finding in check_letter(
                text, role=ARRANGEMENT, debtor=(self.claim_data or {}).get('debtor_type'), language=document['lang'],
                facts=facts)
            if finding.severity == ERROR]
        if findings:
            raise UserError(self.env._(
                "This payment arrangement cannot be offered, since its text is not as the law asks:\n%(sentences)s\n"
                "The text is the e-mail template “%(template)s”.",
                sentences="\n".join(f"• {line}" for line in dict.fromkeys(
                    self.env['dunning.level']._explain_findings(findings))),
                template=self._get_clauses_template().name))

    # -------------------------------------------------------------------------
    # PAPER
    # -------------------------------------------------------------------------

    def _render_document(self, document, signatures=None, *, concept=False):
        """Return the whole document as one HTML page in which nothing has to be fetched.

        :param dict document: of :meth:`_prepare_document`
        :param list signatures: of :meth:`_prepare_signatures`; None for the proposal
        """
        self.ensure_one()
        lang = document['lang']
        env = self.with_context(lang=lang).env
        Letter = env['dunning.letter']
        company = Letter._prepare_company(self.company_id, lang)
        title = env._("Payment arrangement")
        body = env['ir.qweb']._render('l10n_nl_dunning.arrangement_document', {
            'document': document,
            'clauses': self._get_clauses(document),
            'company': company,
            'title': title,
            # What the head of letters asks for.
            'letter': {
                'address': document['address'], 'date': document['date'], 'iban': document['pay']['iban'],
                'number': document['number'],
            },
            'payment': {
                'due': document['pay']['amount'], 'deadline': document['pay']['date'], 'fourteen_day': False,
                **{name: document['pay'][name] for name in ('iban', 'holder', 'reference', 'qr')},
            },
            'phrases': self._prepare_phrases(env, document, signatures),
            'sign_qr': Letter._draw_qr(document['sign_url']) if document['sign_url'] and not signatures else '',
            'signatures': signatures,
            'concept': concept,
        }, minimal_qcontext=True)
        return f"<!DOCTYPE html>{body.strip()}"

    def _get_clauses(self, document):
        """Return the clauses of a document as they are printed in it."""
        # Rendered by QWeb, which escaped what came from others.
        return [Markup(clause) for clause in document['clauses']]  # noqa: S704

    def _prepare_phrases(self, env, document, signatures):
        """Return the sentences around the tables, as HTML."""
        def strong(text):
            return Markup("<b>%s</b>") % text

        values = {
            'total': strong(document['total']), 'first': document['first'], 'last': document['last'],
            'valid': strong(document['valid_until'])}
        if signatures:
            subtitle = env._("agreement, signed by both parties")
            intro = env._(
                "This is the arrangement that you and we have both signed. The signatures stand at the end. Please "
                "keep it.")
        else:
            subtitle = env._("proposal, valid until %s", document['valid_until'])
            intro = Markup("%s %s") % (
                env._("We propose that you pay %(total)s no later than %(last)s.", **values) if document['single']
                else env._(
                    "We propose that you pay %(total)s in instalments, from %(first)s until %(last)s.", **values),
                env._(
                    "Please read the proposal at your ease. Do you agree? Then sign it no later than %(valid)s. After "
                    "that day the proposal lapses.", **values))
        return {
            'subtitle': subtitle,
            'intro': intro,
            'booked': document['booked'] and env._(
                "Interest and costs that were charged with %s are included.", ', '.join(document['booked'])),
            'payment': env._("Pay like this:") if document['single'] else env._(
                "This is the first payment. The others go to the same account, stating the same reference."),
            'online': env._("Scan this code with the camera of your telephone. You need no account."),
            'on_paper': env._(
                "Fill in the box with your name and send us all pages, by post or as a scan by e-mail."),
            'trace': env._(
                "The text is that of the proposal of %(date)s. SHA-256 of the proposal: %(hash)s",
                date=document['date'], hash=self.offer_sha256 or '') if signatures else '',
        }

    def _print_document(self, document, signatures=None, *, concept=False):
        """Return the PDF of the proposal or, with signatures, of the agreement."""
        self.ensure_one()
        env = self.with_context(lang=document['lang']).env
        page = env._(
            "Payment arrangement %(number)s – page %(page)s of %(pages)s",
            number=document['number'].replace('[', '('), page='[sitepage]', pages='[sitepages]')
        paper = LetterDocument(
            self.id, self._render_document(document, signatures, concept=concept), document['number'],
            document['company']['name'] or '', page)
        return self.env['dunning.letter']._print_batch([paper])[self.id]

    def _prepare_signatures(self):
        """Return what stands in the place for signatures: the debtor's first, then ours."""
        self.ensure_one()
        lang = (self.document_data or {}).get('lang') or self._get_lang()
        env = self.with_context(lang=lang).env
        this = self.sudo()  # sudo: the address of the visitor is part of the document, which goes to both sides
        zone = this.company_id._get_dunning_tz().zone

        def moment(stamp):
            return format_datetime(
                env, stamp, tz=zone, lang_code=lang, dt_format='d MMMM y, HH:mm') if stamp else ''

        on_paper = this.signed_via == 'paper'
        if on_paper:
            when = env['dunning.letter']._format_date(this.signed_date, lang)
            how = env._("signed on paper; the signed paper is kept with this arrangement")
        else:
            when = moment(this.signed_on)
            how = (
                env._("signed in the portal, IP address %s", this.signed_ip) if this.signed_ip
                else env._("signed in the portal"))
            if not this.signed_signature:
                how = env._("%s, by typing the name and ticking the box", how)
        scan = this.scan_attachment_id if on_paper else self.env['ir.attachment']
        return [
            {
                'name': this.signed_name or '',
                'image': self._get_picture(this.signed_signature),
                'when': when,
                'how': how,
                'scan': scan and env._(
                    "SHA-256 of the scan: %s", hashlib.sha256(scan.raw or b'').hexdigest()),
            },
            {
                'name': this.countersigned_by_id.name or '',
                'image': '',  # who signs for us does so by name: the program knows that it was him
                'when': moment(this.countersigned_on),
                'how': env._("signed for %s", this.company_id.name),
                'scan': '',
            },
        ]

    @api.model
    def _get_picture(self, picture):
        """Return a signature as a PNG that was drawn anew, as a data URI; nothing for what is not a picture."""
        if not picture:
            return ''
        try:
            drawn = image_process(base64.b64decode(picture), size=(700, 260), output_format='PNG')
        except (UserError, ValueError, OSError):
            return ''
        return image_data_uri(base64.b64encode(drawn)) if drawn and drawn[:4] == b'\x89PNG' else ''

    # -------------------------------------------------------------------------
    # FREEZING
    # -------------------------------------------------------------------------

    def _store_offer(self):
        # EXTENDS: what the debtor is to read is fixed here.
        result = super()._store_offer()
        for arrangement in self:
            document = arrangement._prepare_document()
            arrangement._check_document(document)
            recording = arrangement._recording()
            recording.sudo().document_data = document  # sudo: what is written follows from the offer
            recording.write(arrangement._freeze('offer', arrangement._print_document(document)))
        return result

    def _store_agreement(self):
        # EXTENDS: the same words, with both signatures under them.
        result = super()._store_agreement()
        for arrangement in self:
            # sudo: who signs in the portal, or signs for us, need not see the text as data
            document = arrangement.sudo().document_data or arrangement._prepare_document()
            pdf = arrangement._print_document(document, arrangement._prepare_signatures())
            arrangement._recording().write(arrangement._freeze('agreement', pdf))
        return result

    def _freeze(self, kind, content):
        """Keep a PDF as it is; return what is to be written on the arrangement.

        :param kind: ``'offer'`` or ``'agreement'``
        :param bytes content: the very bytes that leave
        """
        env = self.with_context(lang=self._get_lang()).env  # the debtor reads the name of the file
        label = env._("proposal") if kind == 'offer' else env._("agreement")
        return {
            f'{kind}_attachment_id': self._keep_file(f"{self.name} {label}.pdf", content, 'application/pdf').id,
            f'{kind}_sha256': hashlib.sha256(content).hexdigest(),
        }

    def _keep_file(self, name, content, mimetype):
        """Return the ``ir.attachment`` of a file of this arrangement."""
        self.ensure_one()
        # sudo: the file belongs to what is being recorded, also when the debtor does that in the portal
        return self.env['ir.attachment'].sudo().create({
            'name': name.replace('/', '-'),
            'res_model': self._name,
            'res_id': self.id,
            'company_id': self.company_id.id,
            'mimetype': mimetype,
            'raw': content,
        }).sudo(False)

    def _get_pdf(self):
        """Return the PDF that counts now: of the agreement, else of the proposal; empty bytes for a draft."""
        self.ensure_one()
        # sudo: the file is part of the arrangement, which the caller may read
        return (self.agreement_attachment_id or self.offer_attachment_id).sudo().raw or b''

    # -------------------------------------------------------------------------
    # GETTING IT THERE
    # -------------------------------------------------------------------------

    def _send_offer(self):
        # EXTENDS: by e-mail where an address works, else somebody posts it.
        result = super()._send_offer()
        for arrangement in self:
            person = arrangement._get_mail_recipient()
            if person:
                arrangement._send_mail(
                    'l10n_nl_dunning.mail_template_arrangement_offer', person,
                    files=arrangement.offer_attachment_id.sudo())  # sudo: the file that is to leave
                arrangement._recording().write({
                    'offer_channel': 'email', 'offer_email_to': person.email_formatted})
            else:
                arrangement._check_postal_address()
                arrangement._ask_to_post(
                    arrangement._for_collector().env._("Print and post the proposal %s", arrangement.name))
                arrangement._recording().write({'offer_channel': 'letter', 'offer_email_to': False})
        return result

    def _send_agreement(self):
        # EXTENDS: to both sides, the paper that was signed with it.
        result = super()._send_agreement()
        for arrangement in self:
            files = arrangement.agreement_attachment_id | arrangement.scan_attachment_id
            person = arrangement._get_mail_recipient()
            if person:
                part = arrangement._get_next_payment()
                arrangement._send_mail(
                    'l10n_nl_dunning.mail_template_arrangement_agreement', person,
                    files=files.sudo(),  # sudo: the files that are to leave
                    picture=part and arrangement._get_qr_png(part.amount_left, arrangement._get_reference()))
                arrangement._recording().agreement_email_to = person.email_formatted
            else:
                arrangement._ask_to_post(
                    arrangement._for_collector().env._("Print and post the signed agreement %s", arrangement.name))
            arrangement._tell_us(files)
        return result

    def _for_collector(self):
        """Return the arrangement in the language of its collector, also when the debtor is at work in the portal."""
        self.ensure_one()
        return self.with_context(lang=self.user_id.lang or self.env.lang)

    def _tell_us(self, files):
        """Give our side its copy: in the history, and to the collector."""
        local = self._for_collector()
        # sudo: also when the debtor signs in the portal and it is countersigned by itself
        local.sudo().message_post(
            body=local.env._("Both sides signed %s. The signed agreement is attached.", self.name),
            subject=local.display_name,
            partner_ids=self.user_id.partner_id.ids if self.user_id.active and self.user_id != self.env.user else [],
            attachment_ids=files.ids, message_type='notification', subtype_xmlid='mail.mt_note')

    def _check_postal_address(self):
        """Raise when a letter would not arrive either."""
        self.ensure_one()
        if not self._get_addressee()._get_postal_partner()._has_dunning_address():
            raise UserError(self.env._(
                "%s has neither an e-mail address that works nor a postal address. Complete the contact first.",
                self.partner_id.display_name))

    def _ask_to_post(self, summary):
        """Give the collector something to print, once."""
        self.ensure_one()
        if any(activity.summary == summary for activity in self.activity_ids):
            return
        self.activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=self.company_id._dunning_today(), user_id=self.user_id.id,
            automated=True, summary=summary,
            note=self._for_collector().env._("%s has no e-mail address that works.", self.partner_id.name or ''))

    def action_print_offer(self):
        """Download what counts now: the agreement, else the proposal; of a draft how it would look."""
        self.ensure_one()
        self.check_access('read')
        attachment = self.agreement_attachment_id or self.offer_attachment_id
        if not attachment:
            attachment = self._make_concept()
        elif self.has_access('write') and self.state == 'offered' and not self.offer_printed_on:
            self._recording().offer_printed_on = self.company_id._dunning_today()
            self._message_log(body=self.env._("The proposal was printed."))
        return {
            'type': 'ir.actions.act_url',
            'url': f"/web/content/{attachment.id}?download=true",
            'target': 'self',
        }

    def _make_concept(self):
        """Return a file that shows how the draft would look; only who asks can read it, and it goes after a week."""
        self.ensure_one()
        if self.state != 'draft':
            raise UserError(self.env._("There is no document of %s.", self.display_name))
        document = self._prepare_document() | {'sign_url': ''}
        return self.env['ir.attachment'].create({
            'name': f"{self.name} concept.pdf",
            'res_model': 'dunning.letter',
            'mimetype': 'application/pdf',
            'raw': self._print_document(document, concept=True),
        })

    # -------------------------------------------------------------------------
    # SIGNED ON PAPER
    # -------------------------------------------------------------------------

    def action_upload_scan(self):
        """Enter that the debtor signed the proposal on paper."""
        self.ensure_one()
        self.check_access('write')
        return self.env['dunning.arrangement.scan']._action_open(self)

    @api.model
    def _check_scan(self, content):
        """Return the media type of what was scanned, judged by the file and not by its name.

        :param bytes content: of the file
        :raise UserError: when it is not a PDF or picture one can read, or too large
        """
        if len(content) > SCAN_BYTES:
            raise UserError(self.env._(
                "The file is larger than 10 MB. Scan it in black and white or with fewer dots, and try again."))
        kind = ''
        try:
            if content.startswith(b'%PDF-'):
                reader = PdfFileReader(io.BytesIO(content), strict=False)
                kind = 'PDF' if not reader.is_encrypted and len(reader.pages) else ''
            elif content:
                with Image.open(io.BytesIO(content), formats=['PNG', 'JPEG']) as image:
                    if image.width * image.height <= SCAN_PIXELS:
                        kind = image.format
                        image.verify()
        except (UnidentifiedImageError, Image.DecompressionBombError):
            kind = ''
        except Exception:  # noqa: BLE001 - whatever a damaged file makes a reader stumble over, it cannot be read
            kind = ''
        if kind not in SCAN_TYPES:
            raise UserError(self.env._(
                "This file cannot be read as a scan. Choose a PDF without a password, a PNG or a JPEG."))
        return SCAN_TYPES[kind]

    def _sign_on_paper(self, name, signed_date, content):
        """Record that the debtor signed on paper, with the scan of that paper.

        :param str name: who signed
        :param date signed_date: the day that stands on the paper
        :param bytes content: of the scan
        :raise UserError: when that cannot be; nothing is written then
        """
        self.ensure_one()
        mimetype = self._check_scan(content)
        today = self.company_id._dunning_today()
        offered = self.claim_date or today
        Letter, lang = self.env['dunning.letter'], self.env.lang
        if not signed_date or signed_date > today:
            raise UserError(self.env._("Enter the day that stands on the paper: it cannot lie in the future."))
        if signed_date < offered:
            raise UserError(self.env._(
                "The proposal is of %s, so it cannot have been signed before that day.",
                Letter._format_date(offered, lang)))
        if self.state != 'offered':
            raise UserError(self.env._("%s is not on offer, so there is nothing to sign.", self.display_name))
        with self.env.cr.savepoint():
            extension = mimetype.rpartition('/')[2].replace('jpeg', 'jpg')
            scan = self._keep_file(f"{self.name} {self.env._('signed on paper')}.{extension}", content, mimetype)
            self._sign(name, None, via='paper', scan=scan, signed_date=signed_date)
