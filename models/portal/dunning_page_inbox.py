"""What a debtor sends from his page: a dispute, “I have paid”, other contact data.

What follows is done by the program itself, about the debtor and the company of the page and nothing else, and ends at a
person: a hold with an owner and an end, an activity for the collector. Nothing a visitor types is written onto a
contact or an invoice, and all of it is text.
"""

import re
from contextlib import suppress
from datetime import date, timedelta

from markupsafe import Markup

from odoo import models
from odoo.tools import email_normalize, float_compare
from odoo.tools.mimetypes import guess_mimetype

from ..kernel.formats import letter_amount, letter_day
from .page_input import PageError, TooManyRequests, clean_text, parse_amount

# How many requests of one page are taken on one day: more is a mistake or a program.
REQUESTS_PER_DAY = 10
MAX_FILE_BYTES = 10 * 1024 * 1024
# What a debtor can add, by its contents; the name it came with says nothing.
FILE_TYPES = {'application/pdf': 'pdf', 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp'}
# How long what a debtor says he paid counts as the same payment, in days.
SAME_PAYMENT_DAYS = 60
# How many years back a payment can have been made.
OLDEST_PAYMENT = timedelta(days=3 * 366)
HOLD_REASONS = {
    'dispute': 'l10n_nl_dunning.hold_reason_dispute', 'paid': 'l10n_nl_dunning.hold_reason_says_paid'}
PHONE = re.compile(r'[+()0-9 ./-]{6,30}')


class DunningPageInbox(models.AbstractModel):
    """Taking in what was posted, reading the fields of the forms, and what follows from each form."""

    _name = 'dunning.page.inbox'
    _description = "Debtor's Page"

    # -------------------------------------------------------------------------
    # TAKING IN
    # -------------------------------------------------------------------------

    def _begin_request(self, key):
        """Return the earlier request with this key, or an empty record after making sure there may be a new one.

        The page is written first: who sends the same twice at the same moment waits here for himself, and the second
        finds what the first did.

        :raise TooManyRequests: when today's number is reached
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        self.env.cr.execute("UPDATE dunning_page SET write_date = write_date WHERE id = %s", [self.id])
        Request = self.env['dunning.page.request']
        known = Request.search([('page_id', '=', self.id), ('key', '=', key)], limit=1)
        if not known and Request.search_count(
                [('page_id', '=', self.id), ('date', '=', today)]) >= REQUESTS_PER_DAY:
            raise TooManyRequests(self.env._(
                "You have sent a lot today, so we take nothing more for now. What you sent before has arrived. Try "
                "again tomorrow, or call us."))
        return known

    def _record_request(self, kind, key, text, **values):
        self.ensure_one()
        return self.env['dunning.page.request'].create({
            'page_id': self.id, 'kind': kind, 'key': key, 'date': self.company_id._dunning_today(), 'text': text,
            **values})

    def _get_collector(self):
        """Return who is to look at what the debtor sent, or whoever keeps the program where nobody can."""
        self.ensure_one()
        return self.partner_id._get_dunning_collector(self.company_id) or self.env.user

    def _tell_collector(self, record, user, summary, note):
        """Plan an activity for the collector, in his language: today.

        :param summary, note: functions of an environment that return text; in the note what was typed is escaped
        """
        env = self.with_context(lang=user.lang).env
        record.activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=self.company_id._dunning_today(), user_id=user.id,
            summary=summary(env), note=note(env))

    def _quote(self, text):
        """Return what a debtor typed as a quotation: escaped, on its own lines."""
        lines = Markup("<br/>").join((text or '').split('\n'))
        return Markup("<blockquote>%s</blockquote>") % lines

    # -------------------------------------------------------------------------
    # FIELDS OF THE FORMS
    # -------------------------------------------------------------------------

    def _read_invoice(self, values):
        move = self._find_invoice(values.get('invoice_id'), only_open=True)
        if not move:
            raise PageError('invoice_id', self.env._("Choose the invoice it is about."))
        return move

    def _read_amount(self, values, name, currency):
        """Return the amount that was filled in, or None for an empty field."""
        text = clean_text(values.get(name), 40, lines=False)
        if not text:
            return None
        amount = parse_amount(text)
        if amount is None or float_compare(amount, 0, precision_digits=2) <= 0:
            raise PageError(name, self.env._(
                "“%s” is not an amount we can read. Write it with digits, for example 125,50.", text[:20]))
        return currency.round(amount)

    def _read_date(self, values, name):
        """Return the date that was filled in, from a date field or typed as people do; None for an empty field."""
        text = clean_text(values.get(name), 20, lines=False)
        if not text:
            return None
        numbers = [int(part) for part in re.findall(r'[0-9]+', text)]
        with suppress(ValueError):  # such as 31 February
            if re.fullmatch(r'[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}', text):
                return date(*numbers)
            if re.fullmatch(r'[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{4}', text):
                return date(*reversed(numbers))
        raise PageError(name, self.env._(
            "“%s” is not a date. Write it as day, month and year, for example 31-12-2026.", text))

    def _read_file(self, upload, name='file'):
        """Return ``(name, contents, type)`` of a file that was added, or None.

        The type follows from the contents, and the name is text with the ending that belongs to that type.
        """
        if not upload or not getattr(upload, 'filename', None):
            return None
        data = upload.stream.read(MAX_FILE_BYTES + 1)
        if not data:
            raise PageError(name, self.env._("The file is empty. Choose it again."))
        if len(data) > MAX_FILE_BYTES:
            raise PageError(name, self.env._("The file is larger than 10 MB. Choose a smaller one."))
        kind = guess_mimetype(data, default='application/octet-stream')
        if kind not in FILE_TYPES:
            raise PageError(
                name, self.env._("This kind of file cannot be added. Choose a PDF or a photo (JPG or PNG)."))
        base = re.split(r'[\\/]', clean_text(upload.filename, 200, lines=False))[-1]
        stem = re.sub(r'[^\w .,()+-]', '_', base.rpartition('.')[0] or base).strip(' .')[:80] or 'file'
        return f'{stem}.{FILE_TYPES[kind]}', data, kind

    def _take_in(self, kind, move, key, text, file, earlier, vals):
        """Put an invoice on hold for what the debtor sent about it, unless that was settled before.

        :param file: of :meth:`_read_file`
        :param earlier: what was settled; then a person decides whether it waits once more
        :param dict vals: values of the hold
        :return: the hold, or the invoice, and who is to look at it
        """
        user, record, hold = self._get_collector(), move, self.env['dunning.hold']
        if not earlier:
            reason = self.env.ref(HOLD_REASONS[kind])
            record = hold = hold.create({
                'move_id': move.id, 'reason_id': reason.id, 'user_id': user.id, 'note': text,
                'date_end': self.company_id._dunning_today() + timedelta(days=reason.default_days), **vals})
            hold._take_back_notices()
        self._record_request(kind, key, text, move_id=move.id, hold_id=hold.id)
        if file:
            name, data, mimetype = file
            self.env['ir.attachment'].create({
                'name': name, 'raw': data, 'mimetype': mimetype, 'res_model': record._name, 'res_id': record.id})
        return record, user

    # -------------------------------------------------------------------------
    # “I DO NOT AGREE”
    # -------------------------------------------------------------------------

    def _register_dispute(self, values, upload=None):
        """Put an invoice that the debtor disputes on hold, and ask the collector to look into it.

        :param dict values: what was posted: ``invoice_id``, ``category``, ``reason``, ``amount``
        :param upload: a file that came with it
        :return: ``'dispute'``, ``'dispute_known'`` when it is disputed already, or ``'dispute_again'`` when it was
            settled before: then a person decides whether it waits once more
        :raise PageError: when something is missing or wrong
        """
        self.ensure_one()
        move = self._read_invoice(values)
        Hold = self.env['dunning.hold']
        categories = dict(Hold._fields['dispute_category']._description_selection(self.env))
        category = values.get('category')
        if category not in categories:
            raise PageError('category', self.env._("Choose what is wrong."))
        text = clean_text(values.get('reason'))
        if len(text) < 10:
            raise PageError(
                'reason', self.env._("Tell us in a few words what is wrong, so that we can look into it."))
        amount = self._read_amount(values, 'amount', move.currency_id)
        if amount and move.currency_id.compare_amounts(amount, move.amount_residual) >= 0:
            amount = None  # all of it
        file = self._read_file(upload)
        earlier = Hold.search([
            ('company_id', 'in', self.company_id._get_dunning_company_ids()),
            ('partner_id', '=', self.partner_id.id), ('is_dispute', '=', True),
            '|', ('move_id', '=', move.id), ('move_line_id.move_id', '=', move.id)], order='id desc', limit=1)
        key = f'dispute:{move.id}:{earlier.id if earlier and earlier.state == "ended" else 0}'
        if self._begin_request(key) or (earlier and earlier.state != 'ended'):
            return 'dispute_known'
        record, user = self._take_in('dispute', move, key, text, file, earlier, {
            'amount': amount or 0.0, 'dispute_category': category})
        self._tell_collector(
            record, user,
            lambda env: (
                env._("%(debtor)s disputes %(invoice)s again", debtor=self.partner_id.name, invoice=move.name)
                if earlier else
                env._("%(debtor)s disputes %(invoice)s", debtor=self.partner_id.name, invoice=move.name)),
            lambda env: Markup("<p>%s</p>%s") % (
                env._("It was settled before, so reminders go on unless you put it on hold.") if earlier
                else env._("Sent from the debtor's page. Reminders wait; find out who is right and tell him."),
                self._quote(text)))
        return 'dispute_again' if earlier else 'dispute'

    # -------------------------------------------------------------------------
    # “I HAVE PAID”
    # -------------------------------------------------------------------------

    def _register_paid(self, values, upload=None):
        """Wait a few days with what the debtor says he paid, and ask the collector to look for the money.

        :param dict values: what was posted: ``invoice_id``, ``paid_date``, ``amount``, ``note``
        :return: ``'paid'``, ``'paid_known'`` when he told us before, or ``'paid_again'`` when that is over and the
            money was not found: then a person decides
        :raise PageError: when something is missing or wrong
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        move = self._read_invoice(values)
        paid_date = self._read_date(values, 'paid_date')
        if not paid_date:
            raise PageError('paid_date', self.env._("On which day did you pay?"))
        if paid_date > today:
            raise PageError('paid_date', self.env._("This day has not come yet. On which day did you pay?"))
        if paid_date < today - OLDEST_PAYMENT:
            raise PageError('paid_date', self.env._("This day is too long ago. On which day did you pay?"))
        amount = self._read_amount(values, 'amount', move.currency_id)
        if not amount:
            raise PageError('amount', self.env._("How much did you pay?"))
        note = clean_text(values.get('note'))
        file = self._read_file(upload)
        Request = self.env['dunning.page.request']
        earlier = Request.search([
            ('page_id', '=', self.id), ('kind', '=', 'paid'), ('move_id', '=', move.id),
            ('date', '>=', today - timedelta(days=SAME_PAYMENT_DAYS))], order='id desc', limit=1)
        waiting = earlier.hold_id and earlier.hold_id.state != 'ended'
        key = f'paid:{move.id}:{earlier.id if earlier and not waiting else 0}:{paid_date}:{amount:.2f}'
        if self._begin_request(key) or waiting:
            return 'paid_known'
        text = self.env._(
            "Paid %(amount)s on %(date)s.", amount=letter_amount(self.env, amount, move.currency_id),
            date=letter_day(self.env, paid_date)) + (f"\n{note}" if note else '')
        whole = move.currency_id.compare_amounts(amount, move.amount_residual) >= 0
        record, user = self._take_in('paid', move, key, text, file, earlier, {'amount': 0.0 if whole else amount})
        self._tell_collector(
            record, user,
            lambda env: env._(
                "%(debtor)s says that %(invoice)s was paid", debtor=self.partner_id.name, invoice=move.name),
            lambda env: Markup("<p>%s</p>%s") % (
                env._("He said so before and the money was not found, so reminders go on unless you put it on hold.")
                if earlier else env._("Sent from the debtor's page. Look for the payment; reminders wait a few days."),
                self._quote(text)))
        return 'paid_again' if earlier else 'paid'

    # -------------------------------------------------------------------------
    # OTHER CONTACT DATA
    # -------------------------------------------------------------------------

    def _register_contact(self, values):
        """Pass on which name, e-mail address, telephone number or address the debtor wants to be reached at.

        A person changes the contact: who has the link could otherwise move the letters to himself.

        :param dict values: what was posted: ``name``, ``email``, ``phone``, ``address``
        :return: ``'contact'`` or ``'contact_known'``
        """
        self.ensure_one()
        name = clean_text(values.get('name'), 120, lines=False)
        email = clean_text(values.get('email'), 120, lines=False)
        phone = clean_text(values.get('phone'), 40, lines=False)
        address = clean_text(values.get('address'), 300)
        if email and not email_normalize(email):
            raise PageError('email', self.env._(
                "This is not an e-mail address. It looks like name@example.com."))
        if phone and not PHONE.fullmatch(phone):
            raise PageError('phone', self.env._("This is not a telephone number. Use digits, for example 06 12345678."))
        given = [
            (self.env._("Name"), name), (self.env._("E-mail"), email), (self.env._("Phone"), phone),
            (self.env._("Address"), address)]
        given = [(label, text) for label, text in given if text]
        if not given:
            raise PageError('name', self.env._("Fill in at least one of the fields."))
        text = '\n'.join(f'{label}: {words}' for label, words in given)
        key = f'contact:{self.company_id._dunning_today()}:{name}|{email}|{phone}|{address}'[:400]
        if self._begin_request(key):
            return 'contact_known'
        user = self._get_collector()
        self._record_request('contact', key, text)
        self._tell_collector(
            self.partner_id, user,
            lambda env: env._("%s gave other contact data", self.partner_id.name),
            lambda env: Markup("<p>%s</p>%s") % (
                env._("Sent from the debtor's page; nothing was changed. Check that it is really him, then change the "
                      "contact."), self._quote(text)))
        return 'contact'
