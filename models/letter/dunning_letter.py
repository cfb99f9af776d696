"""What a letter says: address, items, amounts and the HTML they are put in."""

import base64
import hashlib
import io
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from lxml import html
from markupsafe import Markup
from PIL import Image
from reportlab.graphics.barcode.qr import QrCodeWidget

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import str2bool
from odoo.tools.image import image_data_uri

from ...tools.wording import TERM_TEXTS
from ...tools.wording.names import parse_name
from ..kernel.dunning_paper import LETTERS_PER_PROCESS, LetterDocument
from ..kernel.formats import format_iban, letter_amount, letter_day, letter_percent

# Long descriptions take two lines; with more rows than that they get one, or the letter would not fit on its page.
DESCRIPTION_LENGTH, DESCRIPTION_LENGTH_SHORT, DESCRIPTION_ROWS = 54, 32, 4
# Of the payload of an EPC QR code: two of its lines, and how long it can be.
QR_HOLDER, QR_TEXT, QR_BYTES = 5, 10, 331


class DunningLetter(models.AbstractModel):
    """What a letter says, its PDF, and the copy that is frozen on its notice."""

    _name = 'dunning.letter'
    _inherit = ['dunning.letter.text', 'dunning.letterhead']
    _description = "Dunning Letter"

    # -------------------------------------------------------------------------
    # WORDS
    # -------------------------------------------------------------------------

    @api.model
    def _get_fourteen_day_term(self, lang):
        """Return the term of a 14-day letter in the words that the Hoge Raad approved, or English ones after them."""
        return TERM_TEXTS.get((lang or '')[:2], TERM_TEXTS['en'])[0]

    @api.model
    def _get_salutation(self, person, lang, *, formal=False):
        """Return how a letter opens, from the title and name of the addressee: “Dear Ms Jansen,”.

        Nobody is greeted by the name of a firm, and nobody by that of somebody who died.

        :param formal: whether somebody whose gender is not known is addressed by surname, as Dutch does
        """
        env, dutch = self.with_context(lang=lang).env, (lang or '').startswith('nl')
        name = parse_name(person.name, dutch=dutch)
        is_firm = not name.gender and person == person.commercial_partner_id and (
            person.dunning_effective_type != 'consumer')
        if (
            person.is_company or is_firm or name.is_desk
            or (person.parent_id and ' ' not in name.full and not name.gender)
        ):
            return env._("Dear Sir or Madam,")
        if name.gender == 'heirs':
            return env._("Dear heirs,")
        if name.gender == 'family':
            return env._("Dear %s family,", name.surname)
        if name.gender == 'couple':
            return env._("Dear Mr and Mrs %s,", name.surname)
        if name.gender == 'male':
            return env._("Dear Mr %s,", name.surname)
        if name.gender == 'female':
            return env._("Dear Ms %s,", name.surname)
        if dutch and formal:
            return env._("Dear Mr or Ms %s,", name.surname)
        return env._("Dear %s,", name.full)

    @api.model
    def _get_interest_facts(self, notice):
        """Return what is said about interest, from the claim that is written on the notice.

        :return: dict of words: ``name``, ``law``, ``rate`` (“10,4%”, of the last day), ``principal`` (that it is worked
            out over), ``per_day`` (“€ 0,27”, or empty below a cent); and ``first_days``, ``last_day`` and ``waived``
        """
        env = self.with_context(lang=notice.lang).env
        data = notice.claim_data or {}
        kind, rate = data.get('rate_kind'), ''
        bearing = [item for item in data.get('items', ()) if item['segments']]
        segments = [item['segments'][-1] for item in bearing]
        principal = sum((Decimal(item['open']) - Decimal(item['reduction']) for item in bearing), Decimal(0))
        percent = Decimal(max(segments)[3]) if segments else Decimal(data.get('agreed_percent') or 0)
        if percent:
            rate = letter_percent(env, percent)
        if percent and percent == Decimal(data['agreed_percent']):
            name = env._("agreed interest")
        elif kind == 'commercial':
            name = env._("statutory commercial interest")
        else:
            name = env._("statutory interest")
        # The government pays by an article of its own.
        commercial = "6:119b" if data.get('debtor_type') == 'government' else "6:119a"
        per_day = Decimal(data.get('per_day') or 0).quantize(Decimal('0.01'), ROUND_HALF_UP)
        return {
            'name': name,
            'law': env._("article %s", commercial if kind == 'commercial' else "6:119"),
            'rate': rate,
            'principal': letter_amount(self.env, principal, notice.currency_id, notice.lang) if bearing else '',
            'first_days': sorted({item['segments'][0][0] for item in bearing}),
            'per_day': letter_amount(self.env, float(per_day), notice.currency_id, notice.lang) if per_day else '',
            'last_day': data.get('at_date') or notice.date,
            'waived': bool(data.get('waived_interest')),
        }

    @api.model
    def _is_raised_with_vat(self, data):
        """Return whether the collection costs of a claim, as written on a notice, were raised with VAT.

        Not what the settings say now: a 14-day letter that announced costs without VAT leads to no more (article 2
        paragraph 3 of the decree), and EUR 40 and agreed costs of a business bear none.
        """
        return any(
            basis.get('vat_rate') and not basis.get('capped') and basis.get('formula') not in ('minimum', 'agreed')
            for basis in data.get('costs_bases', ()))

    # -------------------------------------------------------------------------
    # HTML
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_documents(self, notices, *, concept=False):
        """Return the :class:`LetterDocument` of each notice: one whole, self-contained HTML document.

        Nothing in it is fetched: a scheduled action has no session to fetch with.
        """
        documents = []
        for (company, lang), batch in notices.grouped(lambda notice: (notice.company_id, notice.lang)).items():
            batch = batch.with_context(lang=lang)
            shared = self.with_context(lang=lang)._prepare_company(company, lang)
            qweb = batch.env['ir.qweb']
            for notice, letter in zip(batch, self._prepare_letters(batch), strict=True):
                body = qweb._render('l10n_nl_dunning.letter_document', {
                    'object': notice, 'letter': letter, 'company': shared, 'concept': concept,
                }, minimal_qcontext=True)
                documents.append(LetterDocument(
                    notice.id, f"<!DOCTYPE html>{body.strip()}", letter['number'],
                    f"{company.name}  ·  {letter['number']}", shared['page_of'], company.name))
        order = {notice_id: index for index, notice_id in enumerate(notices.ids)}
        return sorted(documents, key=lambda document: order[document.notice_id])

    @api.model
    def _prepare_letters(self, notices, *, mail=False):
        """Return the dicts letters (or e-mails) are made from: words and amounts as they appear."""
        notices.live_line_ids.fetch([
            'name', 'invoice_date', 'date_maturity', 'description', 'amount_original', 'amount_residual',
            'amount_netted', 'amount_held', 'days_overdue', 'level_id'])
        return [self._prepare_letter(notice, mail=mail) for notice in notices]

    @api.model
    def _prepare_letter(self, notice, *, mail=False):
        items = self._prepare_items(notice)
        has_step = any(row['step'] for row in items)
        return {
            'number': notice.name or '',
            'title': notice.subject or '',
            'date': notice.date_text,
            'address': [] if mail else self._get_address_lines(notice),
            'intro': '' if mail else self._make_self_contained(notice.body_intro),
            'closing': '' if mail else self._make_self_contained(notice.body_closing),
            'items': items,
            'has_step': has_step,
            'step_note': self._get_step_note(notice) if has_step else '',
            'has_description': any(line.description for line in notice.live_line_ids),
            'short_rows': len(notice.live_line_ids) > DESCRIPTION_ROWS,
            # Set closer, so that it keeps to one page: it has many items, or much to say about a few.
            'dense': len(notice.live_line_ids) > (
                1 if notice._is_fourteen_day() or self._is_specified(notice) else DESCRIPTION_ROWS),
            'totals': self._prepare_totals(notice),
            'due': notice.amount_text,
            'deadline': notice.deadline_text,
            'two_ways': self._get_two_ways_sentence(notice),
            'specified': self._is_specified(notice),
            'contact': notice.contact_text,
            'help': self._has_help(notice),
            'fourteen_day': notice._is_fourteen_day(),
            'enough': notice.enough_text,
            **self._prepare_transfer(
                notice.company_id, notice.live_line_ids.move_id, notice.partner_id, notice.currency_id,
                notice.amount_due, notice.reference, with_qr=not mail),
            'greeting': notice.greeting,
        }

    @api.model
    def _get_two_ways_sentence(self, notice):
        """Return which delivery counts for the term of a 14-day letter that goes two ways, else an empty string.

        In the letter itself and not in its text: every text, also an own one, is read with it.
        """
        if notice.channel != 'both' or not notice._is_fourteen_day():
            return ''
        env = self.with_context(lang=notice.lang).env
        return env._(
            "You receive this letter by e-mail and by post. For the term, the later of these two deliveries counts.")

    @api.model
    def _is_specified(self, notice):
        """Return whether the specification belongs to a letter: interest or costs are to be checked by the debtor."""
        return any(
            notice.currency_id.compare_amounts(amount, 0) for amount in (notice.amount_interest, notice.amount_costs))

    @api.model
    def _has_help(self, notice):
        """Return whether the letter names who helps with debts: of a consumer in the Netherlands."""
        debtor = notice.partner_id.with_company(notice.company_id)
        return debtor.dunning_effective_type == 'consumer' and (debtor.country_id.code or 'NL') == 'NL' and (
            notice.company_id.country_id.code == 'NL')

    @api.model
    def _prepare_totals(self, notice):
        """Return the lines between the items and the amount to pay, none when the items are all there is.

        Each is ``{'code', 'amount'}``; that of interest has a ``label`` of its own.
        """
        lang, currency = notice.lang, notice.currency_id
        parts = [
            (code, amount)
            for code, amount in (
                ('netted', -notice.amount_netted), ('held', -notice.amount_held),
                ('interest', notice.amount_interest), ('costs', notice.amount_costs))
            if currency.compare_amounts(amount, 0)
        ]
        if not parts:
            return []
        return [
            {
                'code': code, 'amount': letter_amount(self.env, amount, currency, lang),
                'label': code == 'interest' and self._get_interest_label(notice),
            }
            for code, amount in [('residual', notice.amount_residual), *parts]
        ]

    @api.model
    def _get_interest_label(self, notice):
        """Return “Statutory interest over €850.00 from 1 Feb 2025 to 3 Mar 2025”."""
        env, facts = self.with_context(lang=notice.lang).env, self._get_interest_facts(notice)
        first, *others = facts['first_days'] or [None]
        words = {
            'interest': facts['name'][:1].upper() + facts['name'][1:], 'principal': facts['principal'],
            'first': letter_day(env, first, short=True), 'date': letter_day(env, facts['last_day'], short=True)}
        if not first:
            return env._("%(interest)s to %(date)s", **words)
        if others:
            return env._("%(interest)s over %(principal)s, at the earliest from %(first)s, to %(date)s", **words)
        return env._("%(interest)s over %(principal)s from %(first)s to %(date)s", **words)

    @api.model
    def _prepare_items(self, notice):
        """Return the rows of the table; shared by letter and e-mail."""
        lang, currency = notice.lang, notice.currency_id
        length = DESCRIPTION_LENGTH if len(notice.live_line_ids) <= DESCRIPTION_ROWS else DESCRIPTION_LENGTH_SHORT
        rows = []
        steps = self._get_steps(notice)
        # Most items were not paid at all, so what is open is what it was.
        written = cache(lambda amount: letter_amount(self.env, amount, currency, lang, symbol=False))
        for line in notice.live_line_ids.sorted(lambda line: (line.date_maturity, line.name or '', line.id)):
            description = (line.description or '').strip()
            if len(description) > length:
                description = description[:length].rsplit(' ', 1)[0].rstrip(' ,;:-') + "…"
            days, paid = line.days_overdue, line.amount_paid
            rows.append({
                'name': line.name or '',
                'date': letter_day(self.env, line.invoice_date, lang, short=True),
                'description': description,
                'due_date': letter_day(self.env, line.date_maturity, lang, short=True),
                'days': days,
                'step': steps.get(line.id, ''),
                'original': written(line.amount_original),
                'paid': written(paid),
                'open': written(line.amount_residual),
            })
        return rows

    @api.model
    def _get_steps(self, notice):
        """Return ``{line id: word}`` of what the letter is for each item, none when it is the same for all."""
        if len(notice.live_line_ids.level_id) < 2:
            return {}
        env = self.with_context(lang=notice.lang).env
        steps = {
            line.id: env._("Reminder") if line.level_id.tone == 'friendly' else env._("Demand")
            for line in notice.live_line_ids}
        return steps if len(set(steps.values())) > 1 else {}

    @api.model
    def _get_step_note(self, notice):
        """Return the sentence about items of which the debtor hears for the first time, while others have a history.

        Only in letters about several steps: their text names the earlier contacts.
        """
        if not notice.history_text:
            return ''
        env = self.with_context(lang=notice.lang).env
        new = notice.new_line_ids
        if not new:
            return ''
        return env._("Our earlier messages were not about %s.", ", ".join(dict.fromkeys(
            line.name or '' for line in new)))

    @api.model
    def _get_address_lines(self, notice):
        return self.with_context(lang=notice.lang)._get_window_lines(
            notice.company_id, notice.partner_id, notice.recipient_id, notice._get_postal_partner())

    @api.model
    def _get_bank(self, company, moves):
        """Return the account to pay on: that of the invoices, else the first of the company, or of its head office.

        Never one that was closed since.
        """
        # sudo: who works for a branch need not see its head office
        owners = company._get_dunning_line_of().partner_id
        # sudo: where to pay on is for whoever may see what is to be paid
        banks = moves.sudo().partner_bank_id.filtered(
            lambda bank: bank.active and bank.partner_id.commercial_partner_id in owners.commercial_partner_id)
        return banks[:1] or next((owner.bank_ids[:1] for owner in owners if owner.bank_ids), banks)

    @api.model
    def _get_moves_reference(self, moves):
        """Return what the debtor states to pay invoices: the reference of the one, or the numbers of all of them."""
        if len(moves) == 1:
            return moves.payment_reference or moves.name or ''
        return ' '.join(move.name for move in moves.sorted('invoice_date') if move.name)[:140]

    @api.model
    def _prepare_transfer(self, company, moves, debtor, currency, amount, reference, *, with_qr=True):
        """Return how an amount is paid by bank transfer, as it is printed; ``iban`` is empty without an account."""
        bank = self._get_bank(company, moves)
        return {
            'iban': format_iban(bank.acc_number),
            'holder': bank.acc_holder_name or bank.partner_id.name or company.name,
            'bic': bank.bank_bic or '',
            'reference': reference,
            'qr': self._get_qr(bank, debtor, currency, amount, reference) if with_qr else '',
        }

    @api.model
    def _can_pay_online(self, company):
        """Return whether a company takes payments online."""
        # sudo: it is the same for every user
        allowed = self.env['ir.config_parameter'].sudo().get_param('account_payment.enable_portal_payment', 'False')
        return str2bool(allowed) and bool(self.env['payment.provider'].sudo().search_count([  # sudo: as above
            *self.env['payment.provider']._check_company_domain(company),
            ('state', '!=', 'disabled'), ('is_published', '=', True),
        ], limit=1))

    @api.model
    def _get_qr(self, bank, debtor, currency, amount, reference):
        """Return the EPC QR code of an amount as a data URI, or ``''`` where a bank could not read it.

        The payload is core's, kept within the lengths of the EPC guideline (EPC069-12): core goes one over, and a name
        can have a line break in it. It is drawn here: core's own drawing takes 30 ms a letter, and its error correction
        is lower than the guideline asks for.
        """
        amount = currency.round(amount)
        if (
            not bank or currency.name != 'EUR' or not 0.01 <= amount <= 999_999_999.99
            or 'sct_qr' not in dict(bank.get_available_qr_methods_in_sequence())
        ):
            return ''
        bank = bank.sudo()  # sudo: the company's own account, which is printed on the letter
        # A float would print its noise: 0.1 + 0.2.
        vals = bank._build_qr_code_vals(
            float(f"{amount:.2f}"), reference, reference, currency, debtor, 'sct_qr')
        if not vals:
            return ''
        lines = [' '.join(line.split()) for line in bank._get_qr_vals(**vals)]
        lines[QR_HOLDER], lines[QR_TEXT] = lines[QR_HOLDER][:70], lines[QR_TEXT][:140]
        payload = '\n'.join(lines)
        return self._draw_qr(payload) if len(payload.encode()) <= QR_BYTES else ''

    @api.model
    def _draw_qr(self, value):
        code = QrCodeWidget(value, barLevel='M').qr
        # Any mask is valid; looking for the prettiest of eight takes longer than all the rest of the letter.
        code.getBestMaskPattern = lambda: 0
        code.make()
        size = len(code.modules)
        image = Image.new('1', (size, size), 1)
        image.putdata([0 if dark else 1 for row in code.modules for dark in row])
        stream = io.BytesIO()
        image.resize((size * 6, size * 6), Image.Resampling.NEAREST).save(stream, 'PNG')
        return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"

    @api.model
    def _make_self_contained(self, text):
        """Make a user's text fit for a letter: one heading per letter, and nothing to fetch.

        The batch of letters is cut at the headings, so texts have none of the
        highest kind; pictures are taken in when they belong to the texts of a level.
        """
        if not text or not re.search(r'<(h[1-6]|img|script|iframe|link)\b', text, re.IGNORECASE):
            return text or Markup()
        root = html.fragment_fromstring(text, create_parent='div')
        for node in list(root.iter('h1', 'h2', 'h3', 'h4', 'h5', 'h6')):
            node.tag = 'p'
            node.set('class', 'heading')
        for node in list(root.iter('script', 'iframe', 'link')):
            node.drop_tree()
        for node in list(root.iter('img')):
            source = node.get('src') or ''
            if not source.startswith('data:image/'):
                source = self._get_text_image(source)
            if source:
                node.set('src', source)
            else:
                node.drop_tree()
        return Markup(html.tostring(root, encoding='unicode'))  # noqa: S704 - it was markup and stays it

    @api.model
    def _get_text_image(self, url):
        match = re.match(r'^(?:https?://[^/]+)?/web/image/(\d+)\b', url)
        # sudo: only pictures that were put into the text of a level, or that everybody may see
        attachment = self.env['ir.attachment'].sudo().browse(int(match[1])).exists() if match else None
        if not attachment or not (attachment.public or attachment.res_model == 'dunning.level'):
            return ''
        return image_data_uri(attachment.datas)

    # -------------------------------------------------------------------------
    # PDF
    # -------------------------------------------------------------------------

    @api.model
    def _render_pdfs(self, notices, *, concept=False):
        """Return ``{notice_id: pdf bytes}``."""
        specified = notices.filtered(self._is_specified)
        Claim = self.env['dunning.claim']
        documents = self._prepare_documents(notices, concept=concept)
        documents += [
            Claim._prepare_notice_document(notice)._replace(notice_id=-notice.id) for notice in specified]
        letters, result = {document.notice_id: document for document in documents}, {}
        for start in range(0, len(documents), LETTERS_PER_PROCESS):
            result.update(self._print_batch(documents[start:start + LETTERS_PER_PROCESS]))
        # One file: what is mailed, posted and kept is the letter with its specification.
        for notice in specified:
            pages = [page for name in (notice.id, -notice.id) for page in self._read_pages(result.pop(name))]
            result[notice.id] = self._write_pdf(pages, letters[notice.id])
        return result

    @api.model
    def _store_pdfs(self, notices, pdfs, *, mailed):
        """Freeze the letters on their notices; the hash is of the very bytes that leave.

        :param notices: in the context in which they are recorded
        :param mailed: those of which the letter is attached to a mail
        :return: ``{notice id: letter}`` of these
        """
        # sudo: the file is a field of a notice that is being recorded
        Attachment = notices.env['ir.attachment'].sudo()
        old = Attachment.search(self._get_letters_domain(notices))
        if old:
            old.unlink()
        # A second row, since the file of a field cannot be attached to a mail; the file store keeps one file for both.
        attachments = Attachment.create([
            {
                'name': notice.letter_filename,
                'res_model': 'dunning.notice',
                'res_field': field,
                'res_id': notice.id,
                'company_id': notice.company_id.id,
                'mimetype': 'application/pdf',
                'raw': pdfs[notice.id],
            }
            for field, batch in (('letter_file', notices), (False, mailed)) for notice in batch
        ])
        for notice in notices:
            notice.letter_sha256 = hashlib.sha256(pdfs[notice.id]).hexdigest()
        notices.invalidate_recordset(['letter_file'])
        return {attachment.res_id: attachment for attachment in attachments[len(notices):]}

    @api.model
    def _get_letters_domain(self, notices):
        return Domain([
            ('res_model', '=', 'dunning.notice'), ('res_field', '=', 'letter_file'), ('res_id', 'in', notices.ids)])

    @api.model
    def _get_frozen_pdfs(self, notices):
        """Return ``{notice_id: pdf bytes}`` of the notices that have a letter."""
        # sudo: the letter is a field of the notice, which the caller may read
        letters = self.env['ir.attachment'].sudo().search(self._get_letters_domain(notices))
        return {letter.res_id: letter.raw for letter in letters}
