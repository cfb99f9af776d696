"""The proposal and the agreement on paper: what they say, the PDF, and freezing them.

What a debtor reads is put together once, when it is offered (:meth:`_prepare_document`), and kept as text
(``document_data``). The proposal is printed from it, and so is the agreement later on, with both signatures: what is
signed is word for word what was offered, whatever happened to texts, settings or addresses since. Both files are kept
with the sha256 of their bytes, and nobody can change or delete them.

The clauses are e-mail templates, so that a company can make them its own; what the law asks of them is read by the
wording linter before anything is offered.
"""

import base64
import hashlib
from functools import partial

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime
from odoo.tools.image import image_data_uri, image_process

from ...tools.wording import ARRANGEMENT, ERROR, check_text
from ..kernel.formats import letter_amount, letter_day
from ..letter.dunning_letter import LetterDocument

# Of ``document_data``; a later one may be read differently.
FORMAT = 1


class DunningArrangementDocument(models.AbstractModel):
    _name = 'dunning.arrangement.document'
    _description = "Payment Arrangement"

    document_data = fields.Json(
        readonly=True, copy=False, groups=fields.NO_ACCESS,
        help="What the debtor read when it was offered, as text; with the address of the page.")
    offer_attachment_id = fields.Many2one(comodel_name='ir.attachment', string="Offer", readonly=True, copy=False)
    offer_sha256 = fields.Char(readonly=True, copy=False)
    agreement_attachment_id = fields.Many2one(
        comodel_name='ir.attachment', string="Agreement", readonly=True, copy=False)
    agreement_sha256 = fields.Char(readonly=True, copy=False)

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
        first, reference, partner = local._get_agreed_parts()[:1], local._get_reference(), local._get_postal_partner()
        shared = Letter._prepare_company(company, lang)
        address = Letter._get_window_lines(
            company, local.partner_id, local.contact_id or local.partner_id, partner)
        transfer = local._prepare_transfer(first.amount, reference)
        debtor = env['dunning.claim']._prepare_debtor(local.partner_id, {
            'debtor_type': data.get('debtor_type') or 'consumer'})
        person = local.contact_id
        return {
            'format': FORMAT,
            'lang': lang,
            'number': self.name,
            'valid_until': self.valid_text,
            'address': address,
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
            'consumer': self.is_consumer,
            'salutation': self.salutation,
            'currency': self.currency_id.name,
            'total': self.amount_text,
            'count': self.count_text,
            'single': self.part_count == 1,
            'first': self.first_text,
            'last': self.last_text,
            'date': letter_day(self.env, self.claim_date, lang),
            **local._prepare_debt(lang),
            'payments': local._prepare_payments(lang),
            'pay': {
                'amount': self.first_amount_text,
                'date': self.first_text,
                **{name: transfer[name] for name in ('iban', 'holder', 'reference', 'qr')},
            },
            # With what is wrong in the language of who offers it.
            'clauses': self._render_clauses(lang),
            'sign_url': self._get_page_url() if self._origin.id else '',
            'contact': self.contact_text,
        }

    def _prepare_debt(self, lang):
        """Return the table of what is owed, and its sums."""
        self.ensure_one()
        entries = {entry['item_id']: entry for entry in (self.claim_data or {}).get('items', ())}

        say = partial(letter_amount, self.env, currency=self.currency_id, lang=lang, symbol=False)
        say_date = partial(letter_day, self.env, lang=lang, short=True)
        rows = []
        lines = self.line_ids.sorted(lambda line: (line.date_due, line.name or '', line.id))
        for line in lines.filtered(lambda line: not line.is_booking):
            entry = entries.get(line.move_line_id.id, {})
            rows.append({
                'total': say(line.amount_total),
                'name': line.name or '',
                'date': say_date(entry.get('invoice_date') or line.move_id.invoice_date),
                'due': say_date(line.date_due),
                'principal': say(line.amount_principal),
                'interest': say(line.amount_interest),
                'costs': say(line.amount_costs),
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
        left, rows, number = self.amount_total, [], 0
        for part in self._get_agreed_parts():
            left = self.currency_id.round(left - part.amount)
            number += part.kind == 'instalment'
            rows.append({
                'number': str(number) if part.kind == 'instalment' else '',
                'kind': part.kind,
                'date': letter_day(self.env, part.date_due, lang),
                'amount': letter_amount(self.env, part.amount, self.currency_id, lang, symbol=False),
                'left': letter_amount(self.env, left, self.currency_id, lang, symbol=False),
            })
        return rows

    def _get_postal_partner(self):
        """Return whose address the window of the envelope shows: the first that a letter can be posted to."""
        self.ensure_one()
        return next((
            partner for partner in (self.contact_id | self.partner_id) if partner._has_dunning_address()),
            self.partner_id)

    def _check_document(self, document):
        """Return the proposal as HTML; raise when it would say what is not so, or what the law does not allow.

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
        Level, template, lang = self.env['dunning.level'], self._get_clauses_template(), document['lang']
        source = self.env['dunning.letter']._get_text(template, 'body_html', lang)
        debtor = (self.claim_data or {}).get('debtor_type')
        findings = Level._find_written(template, lang) + [
            finding for finding in check_text(
                Markup().join(self._get_clauses(document)), role=ARRANGEMENT, debtor=debtor, language=lang,
                with_costs=document['has_costs'],
                # sudo: what a text reads was worked out for the debtor; the caller may read the arrangement
                known=Level._get_known(self.sudo().with_context(lang=lang), source))
            if finding.severity == ERROR]
        if findings:
            raise UserError(self.env._(
                "This payment arrangement cannot be offered, since its text is not as the law asks:\n%(sentences)s\n"
                "The text is the e-mail template “%(template)s”.",
                sentences="\n".join(f"• {line}" for line in dict.fromkeys(
                    Level._explain_findings(findings))),
                template=template.name))
        return self._render_document(document)

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

    def _print_document(self, document, signatures=None, *, concept=False, text=None):
        """Return the PDF of the proposal or, with signatures, of the agreement.

        :param str text: of :meth:`_render_document`, where that was asked before
        """
        self.ensure_one()
        env = self.with_context(lang=document['lang']).env
        page = env._(
            "Payment arrangement %(number)s – page %(page)s of %(pages)s",
            number=document['number'].replace('[', '('), page='[sitepage]', pages='[sitepages]')
        paper = LetterDocument(
            self.id, text or self._render_document(document, signatures, concept=concept), document['number'],
            document['company']['name'] or '', page, document['company']['name'] or '')
        return self.env['dunning.letter']._print_batch([paper])[self.id]

    def _prepare_signatures(self):
        """Return what stands in the place for signatures: the debtor's first, then ours."""
        self.ensure_one()
        lang = (self.sudo().document_data or {}).get('lang') or self._get_lang()  # sudo: only its language
        env = self.with_context(lang=lang).env
        this = self.sudo()  # sudo: the address of the visitor is part of the document, which goes to both sides
        zone = this.company_id._get_dunning_tz().zone

        def moment(stamp):
            return format_datetime(
                env, stamp, tz=zone, lang_code=lang, dt_format='d MMMM y, HH:mm') if stamp else ''

        on_paper = this.signed_via == 'paper'
        if on_paper:
            when = letter_day(env, this.signed_date)
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
        """Make and freeze the document of the offer: what the debtor is to read is fixed here."""
        self.ensure_one()
        document = self._prepare_document()
        pdf = self._print_document(document, text=self._check_document(document))
        frozen = self._freeze('offer', pdf, document['lang'])
        self._recording().sudo().write({'document_data': document, **frozen})  # sudo: it follows from the offer

    def _store_agreement(self):
        """Make and freeze the document with both signatures: the same words, with the signatures under them."""
        self.ensure_one()
        # sudo: who signs in the portal, or signs for us, need not see the text as data
        document = self.sudo().document_data or self._prepare_document()
        frozen = self._freeze(
            'agreement', self._print_document(document, self._prepare_signatures()), document['lang'])
        self._recording().write(frozen)

    def _freeze(self, kind, content, lang):
        """Keep a PDF as it is; return what is to be written on the arrangement.

        :param kind: ``'offer'`` or ``'agreement'``
        :param bytes content: the very bytes that leave
        :param str lang: that of the debtor, who reads the name of the file
        """
        env = self.with_context(lang=lang).env
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
