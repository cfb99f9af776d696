"""Both sides sign a payment arrangement: the debtor on the page of the offer or on paper, and one of us.

What a debtor signs is the document he read, known by its sha256, about amounts that are still those of the ledger. Both
are checked under a lock. Signing the same thing in the same way again changes nothing and is answered the same, so
that a second click, or a request that the network sent twice, does no harm.
"""

import base64
import binascii
import hashlib
import io
import unicodedata
from functools import partial

from PIL import Image, UnidentifiedImageError

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import consteq, format_amount
from odoo.tools.pdf import PdfFileReader

from ..kernel.formats import format_day, letter_day

NAME_LENGTH = 100
REASON_LENGTH = 1000
# A signature drawn on a screen takes some tens of kB. Encoded, base64 adds a third.
SIGNATURE_BYTES = 1_500_000
# Of the picture when it is unpacked: a small file can hold a huge one.
SIGNATURE_PIXELS = 4_000_000
# A few pages photographed with a telephone; more than that is something else.
SCAN_BYTES = 10 * 1024 * 1024
SCAN_PIXELS = 60_000_000
SCAN_TYPES = {'PDF': 'application/pdf', 'PNG': 'image/png', 'JPEG': 'image/jpeg'}


class NotSigned(UserError):
    """A signature was not taken; the message says why, in words for the debtor.

    :ivar code: ``name``, ``signature``, ``agreed``, ``other_version``, ``changed``, ``expired``, ``signed`` or
        ``ended``
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class DunningArrangementSigning(models.AbstractModel):
    _name = 'dunning.arrangement.signing'
    _description = "Payment Arrangement"

    signed_name = fields.Char(string="Signed By", readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)
    signed_date = fields.Date(
        readonly=True, copy=False, help="The day of the signature where the company is: the debt is acknowledged.")
    signed_ip = fields.Char(string="IP Address", readonly=True, copy=False, groups='account.group_account_invoice')
    signed_signature = fields.Image(
        string="Signature of the Debtor", readonly=True, copy=False, max_width=1024, max_height=1024)
    signed_via = fields.Selection(
        selection=[('portal', "Online"), ('paper', "On Paper")], string="Signed", readonly=True, copy=False)
    signed_how = fields.Selection(
        selection=[
            ('drawn', "Signature on the screen"),
            ('typed', "Name typed and box ticked"),
            ('paper', "Signature on paper"),
        ],
        string="Way of Signing", readonly=True, copy=False)
    signed_fingerprint = fields.Char(
        readonly=True, copy=False,
        help="sha256 of the document, the name and the signature together: shows that none of them was changed.")
    # What was open on each item when it was offered: {id of the item: amount}.
    offered_open = fields.Json(readonly=True, copy=False)
    scan_attachment_id = fields.Many2one(
        comodel_name='ir.attachment', string="Signed on Paper", readonly=True, copy=False)
    countersigned_by_id = fields.Many2one(
        comodel_name='res.users', string="Signed for Us By", readonly=True, copy=False)
    countersigned_on = fields.Datetime(readonly=True, copy=False)
    may_countersign = fields.Boolean(compute='_compute_may_countersign', help="You may sign it for the company.")

    # -------------------------------------------------------------------------
    # THE OFFER
    # -------------------------------------------------------------------------

    def _check_offer(self, today):
        """Raise why this cannot be offered: it lacks an approval, would have expired, or lasts too long."""
        if self.approval_state == 'needed':
            raise UserError(self.env._(
                "A manager has to approve %(arrangement)s before it is offered: %(why)s",
                arrangement=self.display_name, why=self.approval_reason or ''))
        if not self.valid_until or self.valid_until < today:
            raise UserError(self.env._("The offer would have expired already: choose a later “valid until”."))
        self._check_hold_length(today)

    def _record_offer(self):
        """Write down the offer; it can be signed until the first payment at the latest."""
        if self.valid_until > self.next_date:
            self._message_log(body=self.env._(
                "It can be signed until the day of the first payment, %s.", format_day(self.env, self.next_date)))
        opened = self._get_open_amounts()
        known = self.env['dunning.money']._get_known(self.company_id, self.partner_id, self.line_ids.move_line_id)
        # Of one that runs, the items stay there until this one does.
        running = self.previous_id.filtered(lambda other: other.state == 'active').line_ids.move_line_id
        self._portal_ensure_token()
        self._recording().write({
            'state': 'offered', 'offered_on': fields.Datetime.now(), 'offered_by_id': self.env.uid,
            'valid_until': min(self.valid_until, self.next_date),
            # Money that comes in from now on pays instalments.
            'known': known,
            # What is open on the day of the offer is what the debtor signs for.
            'offered_open': opened,
            'line_ids': [
                Command.update(line.id, {'is_live': True})
                for line in self.line_ids if line.move_line_id not in running]})
        self.env.flush_all()  # what another offer holds is found here, not at the end

    def _get_open_amounts(self):
        """Return ``{id of the item: what is open on it}``, in the currency of the arrangement."""
        self.ensure_one()
        return {
            str(line.move_line_id.id or 0): self.currency_id.round(line.move_line_id.amount_residual_currency)
            for line in self.line_ids
            # What was booked when it began to run was not there when it was offered.
            if line.move_id != self.booking_move_id}

    def _has_changed(self):
        """Return whether something was paid, credited or undone on the items since the offer, or rests on nothing."""
        self.ensure_one()
        now, then = self._get_open_amounts(), self.offered_open or {}
        return bool(
            now.keys() != then.keys()
            or any(self.currency_id.compare_amounts(now[item], then[item]) for item in now)
            or any(line.move_line_id.parent_state != 'posted' for line in self.line_ids)
            or self._get_own_items() != self.line_ids.move_line_id
            or self._rests_on_void())

    def _is_expired(self):
        """Return whether an offer cannot be signed any more since its last day has passed."""
        self.ensure_one()
        return self.state == 'offered' and bool(self.valid_until) and (
            self.valid_until < self.company_id._dunning_today())

    # -------------------------------------------------------------------------
    # THE DEBTOR SIGNS
    # -------------------------------------------------------------------------

    def _sign(self, name, signature=None, *, via, ip=None, sha256=None, scan=None, agreed=False, signed_date=None):
        """Record that the debtor signed the offer.

        :param str name: who signs
        :param signature: the picture of the signature as PNG, base64; None where the name was typed or it is on paper
        :param via: ``'portal'`` or ``'paper'``
        :param str ip: address of the visitor, for the portal
        :param str sha256: of the document that was read, for the portal
        :param scan: ``ir.attachment`` of what was signed on paper
        :param bool agreed: the box was ticked, for who typed his name
        :param date signed_date: the day that stands on the paper; None for today
        :return: True
        :raise NotSigned: when it is not taken; nothing was written then
        """
        self.ensure_one()
        self._lock_with_items()
        name = self._clean_name(name)
        picture = self._check_picture(signature) if signature else None
        how = 'paper' if via == 'paper' else 'drawn' if picture else 'typed'
        if via == 'portal' and not consteq(str(sha256 or ''), self.offer_sha256 or ''):
            raise NotSigned('other_version', self._tell_why('other_version'))
        if how == 'typed' and not agreed:
            raise NotSigned('agreed', self.env._(
                "Nothing was signed yet: tick the box to say that you read the arrangement and agree."))
        fingerprint = self._get_fingerprint(name, how, picture)
        if self.state in ('signed', 'active') and fingerprint == self.signed_fingerprint:
            return True
        today = self.company_id._dunning_today()
        for step in self._get_sign_steps(today, {
            'signed_name': name,
            'signed_date': signed_date or today,
            'signed_ip': ip,
            'signed_signature': base64.b64encode(picture) if picture else False,
            'signed_via': via,
            'signed_how': how,
            'signed_fingerprint': fingerprint,
            **({'scan_attachment_id': scan.id} if scan else {}),
        }):
            step()
        return True

    def _get_sign_steps(self, today, signature):
        """Return the steps of a signature of the debtor.

        :param dict signature: what is recorded of it
        """
        return [
            partial(self._check_signable, signature['signed_date']),
            partial(self._record_signature, signature),
            partial(self._keep_held, today),
            self._countersign_or_ask,
        ]

    def _record_signature(self, signature):
        self._recording().write({'state': 'signed', 'signed_on': fields.Datetime.now(), **signature})
        name = self.signed_name
        self._message_log(body=(
            self.env._("%s signed on paper.", name) if self.signed_how == 'paper'
            else self.env._("%s signed online, with the name typed and the box ticked.", name)
            if self.signed_how == 'typed' else self.env._("%s signed online.", name)))

    def _check_signable(self, signed_date):
        """Raise :class:`NotSigned` with the reason why this cannot be signed (any more)."""
        self.ensure_one()
        if self.state in ('signed', 'active', 'kept', 'broken'):
            raise NotSigned('signed', self._tell_why('signed'))
        if self.state != 'offered':
            raise NotSigned('ended', self._tell_ended())
        if self.valid_until and signed_date > self.valid_until:
            raise NotSigned('expired', self._tell_expired())
        if self._has_changed():
            raise NotSigned('changed', self._tell_why('changed'))

    def _tell_why(self, code):
        """Return what to say about a signature that was not taken, on the page that is shown after it; or None."""
        self.ensure_one()
        if code == 'other_version':
            return self.env._(
                "This is not the version of the arrangement that is on offer. Nothing was signed. The page shows the "
                "present version; please read it again.")
        if code == 'changed':
            return self.env._(
                "Something was paid or credited since we made this offer, so its amounts are no longer right. Nothing "
                "was signed. We were told, and will send you a new offer.")
        if code == 'signed':
            return self.env._(
                "This arrangement was signed already, by %(name)s on %(date)s. Nothing was changed.",
                name=self.signed_name or '', date=letter_day(self.env, self.signed_date))
        return None

    def _tell_expired(self):
        return self.env._(
            "This offer could be signed until %s. Contact us if you still want to pay in instalments.",
            letter_day(self.env, self.valid_until))

    def _tell_ended(self):
        """Return why there is nothing to sign, in words for the debtor."""
        self.ensure_one()
        if self.state == 'replaced':
            return self.env._("A newer arrangement took the place of this one. Please use the newest that we sent you.")
        if self.close_code == 'expired':
            return self._tell_expired()
        if self.close_code == 'by_debtor':
            return self.env._("You turned this offer down. Contact us if you changed your mind.")
        return self.env._("This offer was taken back. Contact us if you want to pay in instalments.")

    @api.model
    def _clean_name(self, name):
        """Return a name as it is kept: what shows on the page, and no more."""
        text = unicodedata.normalize('NFC', name if isinstance(name, str) else '')
        # Control and format characters can hide or turn around what one reads.
        text = ''.join(' ' if char.isspace() else char for char in text if char.isspace() or char.isprintable())
        text = ' '.join(text.split())
        if sum(char.isalpha() for char in text) < 2:
            raise NotSigned('name', self.env._("Enter your full name: without it the signature does not count."))
        if len(text) > NAME_LENGTH:
            raise NotSigned('name', self.env._("Enter a name of %s characters at most.", NAME_LENGTH))
        return text

    @api.model
    def _check_picture(self, signature):
        """Return the bytes of a signature that somebody drew; what is something else is not taken.

        :param signature: PNG, base64, as text or bytes
        :raise NotSigned: what is wrong with it
        """
        unreadable = self.env._("The signature could not be read. Please draw it again, or sign by typing your name.")
        too_large = self.env._(
            "The picture of the signature is too large. Please draw it again, or sign by typing your name.")
        if not isinstance(signature, (str, bytes)):
            raise NotSigned('signature', unreadable)
        if len(signature) > SIGNATURE_BYTES * 4 // 3 + 4:
            raise NotSigned('signature', too_large)
        try:
            content = base64.b64decode(signature, validate=True)
            with Image.open(io.BytesIO(content), formats=['PNG']) as image:
                # Known before anything is unpacked.
                if image.width * image.height > SIGNATURE_PIXELS:
                    raise NotSigned('signature', too_large)
                drawn = image.convert('RGBA')
        except (binascii.Error, UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError,
                SyntaxError) as error:
            raise NotSigned('signature', unreadable) from error
        if not drawn.getchannel('A').getbbox() or len(drawn.getcolors(maxcolors=2) or (1, 2)) < 2:
            raise NotSigned('signature', self.env._("Draw your signature first, or sign by typing your name."))
        return content

    def _get_fingerprint(self, name, how, picture):
        """Return the sha256 of what was signed, by whom and how."""
        self.ensure_one()
        parts = ['%d' % self.id, self.offer_sha256 or '', name, how, hashlib.sha256(picture or b'').hexdigest()]
        return hashlib.sha256('\n'.join(parts).encode()).hexdigest()

    def _tell_changed(self):
        """Tell the collector that the debtor could not sign, once."""
        self.ensure_one()
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            env._("%s wants to sign, but the amounts have changed", self.partner_id.name),
            env._("Something was paid or credited on the invoices of %s after it was offered. Draw up a new "
                  "arrangement in its place.", self.name)))

    # -------------------------------------------------------------------------
    # ON PAPER
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
        if not signed_date or signed_date > today:
            raise UserError(self.env._("Enter the day that stands on the paper: it cannot lie in the future."))
        if signed_date < offered:
            raise UserError(self.env._(
                "The proposal is of %s, so it cannot have been signed before that day.",
                letter_day(self.env, offered)))
        with self.env.cr.savepoint():
            extension = mimetype.rpartition('/')[2].replace('jpeg', 'jpg')
            scan = self._keep_file(f"{self.name} {self.env._('signed on paper')}.{extension}", content, mimetype)
            self._sign(name, None, via='paper', scan=scan, signed_date=signed_date)

    # -------------------------------------------------------------------------
    # THE DEBTOR DECLINES
    # -------------------------------------------------------------------------

    def _decline(self, reason=''):
        """Record that the debtor does not want what was offered; once is enough.

        :raise NotSigned: when it is not on offer any more
        """
        self.ensure_one()
        self._lock_with_items()
        if self.state == 'cancelled' and self.close_code == 'by_debtor':
            return True
        if self.state != 'offered':
            self._check_signable(self.company_id._dunning_today())
        reason = ' '.join(str(reason or '').split())[:REASON_LENGTH]
        local = self._for_collector()
        why = (
            local.env._("The debtor turned it down: “%s”", reason) if reason
            else local.env._("The debtor turned it down, without a reason."))
        self._cancel(why, code='by_debtor')
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            env._("%s turned the payment arrangement down", self.partner_id.name), why))
        return True

    # -------------------------------------------------------------------------
    # WE SIGN
    # -------------------------------------------------------------------------

    @api.depends('state', 'company_id')
    @api.depends_context('uid')
    def _compute_may_countersign(self):
        for arrangement in self:
            arrangement.may_countersign = (
                arrangement.state == 'signed' and not arrangement.countersigned_on
                and arrangement.company_id._may_sign_arrangements(self.env.user))

    def _countersign_or_ask(self):
        """Sign at once where the company wants that, else ask somebody who may."""
        self.ensure_one()
        company = self.company_id
        user = company.sudo().dunning_auto_signatory_id  # sudo: a setting
        if user and self.approval_state == 'not_needed' and company._may_sign_arrangements(user):
            try:
                with self.env.cr.savepoint():
                    self._countersign(user)
                return
            except UserError as error:
                # The debtor did his part; what stands in our way is for us.
                self.invalidate_recordset()
                self._message_log(body=self._for_collector().env._(
                    "It could not be signed for us at once: %s", error))
        self._tell_owner('mail.mail_activity_data_todo', lambda env: (
            env._("%s signed: countersign the payment arrangement", self.partner_id.name),
            env._("%(name)s signed %(arrangement)s. It begins to run when we have signed it too.",
                  name=self.signed_name, arrangement=self.name)))

    def action_countersign(self):
        """Sign for the company what the debtor signed: from now on it runs."""
        self.check_access('write')
        for arrangement in self:
            if not arrangement.company_id._may_sign_arrangements(self.env.user):
                raise AccessError(self.env._(
                    "You may not sign payment arrangements for %s. Who may is in the settings.",
                    arrangement.company_id.name))
            arrangement._lock_with_items()
            arrangement._countersign(self.env.user)
        return True

    def _countersign(self, user):
        """Record our signature and let it run.

        :param user: in whose name; whether he may has been asked
        :raise UserError: when there is nothing to sign
        """
        self.ensure_one()
        if self.countersigned_on and self.state == 'active':
            return
        if self.state != 'signed':
            raise UserError(self.env._(
                "%s was not signed by the debtor, so there is nothing to countersign.", self.display_name))
        for step in self._get_countersign_steps(user):
            step()

    def _get_countersign_steps(self, user):
        """Return the steps of our signature: it is recorded and runs, then both sides get the agreement."""
        return [
            partial(self._record_countersignature, user),
            self._unlink_reminders,
            self._activate,
            self._store_agreement,
            partial(self._log_countersignature, user),
            self._send_agreement,
        ]

    def _record_countersignature(self, user):
        self._recording().write({'countersigned_by_id': user.id, 'countersigned_on': fields.Datetime.now()})

    def _log_countersignature(self, user):
        self._message_log(body=self.env._(
            "Signed for us by %(user)s: %(total)s in %(count)s instalments.",
            user=user.name, total=format_amount(self.env, self.amount_total, self.currency_id),
            count=len(self.instalment_ids)))

    def _acknowledge(self):
        """Write down that the debtor acknowledged the debt: it interrupts prescription (article 3:318 BW)."""
        self.ensure_one()
        if self.interruption_id:
            return
        # Not what is booked from here on: it starts a term of its own.
        items = self.line_ids.filtered(lambda line: line.move_id != self.booking_move_id).move_line_id
        # sudo: it follows from the signature, whoever countersigns
        act = self.env['dunning.interruption'].sudo().create({
            'company_id': self.company_id.id,
            'partner_id': self.partner_id.id,
            'kind': 'recognition',
            'date': self.signed_date or self.activated_on,
            'scope': 'items',
            'item_ids': [Command.set(items.ids)],
            'note': self.env._("Payment arrangement %s, signed by the debtor.", self.name),
        })
        self._recording().interruption_id = act.sudo(False)
