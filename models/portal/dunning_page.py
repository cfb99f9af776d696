"""The debtor's page: one address per debtor and creditor, its token, and who may open it.

Nobody but the program creates or writes a page. A visitor has no rights of his own: what he sees and does goes
through the methods of his page, each of which looks at the debtor and the company of that page and at nothing else.
"""

import uuid

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, consteq, hmac


def as_visitor(records):
    """Return records of one company in that company and no other, with the rights of the program itself."""
    company = records.company_id
    return records.with_user(SUPERUSER_ID).with_company(company).with_context(allowed_company_ids=company.ids)


def sign_look(record, user):
    """Return what lets a colleague look at the page of a record, until its key changes, and do nothing there."""
    record = record.sudo()  # sudo: the key itself is not handed out
    return hmac(record.env, 'dunning_page_look', (record._name, record.id, user.id, record.access_token or ''))


class DunningPage(models.Model):
    """The page of one debtor at one creditor; ``access_token`` is the key to it, empty when it was taken back.

    A page of a branch is from before its creditor had one: it shows the same, and its key leads to the other.
    """

    _name = 'dunning.page'
    _inherit = ['dunning.page.debt', 'dunning.page.inbox', 'dunning.page.proposal', 'portal.mixin']
    _description = "Debtor's Page"
    _order = 'id desc'

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, index=True, readonly=True, ondelete='cascade')
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='cascade')
    opened_on = fields.Date(
        string="Last Opened", readonly=True,
        help="The last day on which somebody who is no colleague opened the page. Programs that check e-mail open "
             "links as well, so it proves nothing.")
    revoked_on = fields.Date(
        string="Link Taken Back", readonly=True, help="From that day the links that were sent before do not work.")
    request_ids = fields.One2many(comodel_name='dunning.page.request', inverse_name='page_id', readonly=True)
    # Written by whoever begins to pay, so that who begins at the same moment finds out.
    payment_begun_on = fields.Datetime(readonly=True, copy=False)
    # The key is a password of the debtor: only the code that writes to him reads it.
    access_token = fields.Char(groups=fields.NO_ACCESS)

    # A constraint and not an index: merging contacts looks for those, see `_fold_into`.
    _company_partner_unique = models.Constraint(
        'UNIQUE(company_id, partner_id)', "A debtor has one page per company.")

    @api.depends('partner_id', 'company_id')
    def _compute_display_name(self):
        for page in self:
            page.display_name = self.env._("Page of %s", page.partner_id.name or '')

    def _compute_access_url(self):
        for page in self:
            page.access_url = f'/my/debt/{page.id}'

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        # EXTENDS 'portal': who shares an address does not get the key along.
        return super()._get_share_url(redirect=redirect, signup_partner=signup_partner, pid=pid, share_token=False)

    def _sign_token(self, pid):
        # EXTENDS 'portal'
        # sudo: the key is read to notify somebody, whoever does that
        return super(DunningPage, self.sudo())._sign_token(pid)

    def _portal_ensure_token(self):
        """Give a page its token, but never one whose token was taken back: a person renews it."""
        page = self.sudo()  # sudo: nobody else reads the key
        if not page.access_token and page.revoked_on:
            return ''
        return super(DunningPage, page)._portal_ensure_token()

    # -------------------------------------------------------------------------
    # THE LINK
    # -------------------------------------------------------------------------

    def _get_url(self, suffix='', notice=None):
        """Return the whole address with the token, to be sent to the debtor; empty when the link was taken back.

        :param notice: the ``dunning.notice`` it is sent in, so that the page can say what it is about
        """
        self.ensure_one()
        # sudo: who sends a message to the debtor sends him the key to his own page
        page = self.sudo()
        if page.revoked_on:
            return ''
        query = f'&notice={notice.id}&key={page._sign_notice(notice)}' if notice else ''
        return f'{page.get_base_url()}{page.get_portal_url(suffix=suffix, query_string=query)}'

    def _sign_notice(self, notice):
        """Return what shows that a link was sent in a notice and not made up."""
        self.ensure_one()
        # sudo: the secret of the database, and that of the page
        return hmac(
            self.env(su=True), 'dunning_page_notice', (self.id, notice.id, self.sudo().access_token or ''))[:24]

    def _find_notice(self, notice_id, key):
        """Return the notice whose link was opened, or an empty record: wrong key, other debtor, other company."""
        self.ensure_one()
        Notice = self.env['dunning.notice']
        if not str(notice_id or '').isdecimal() or len(str(notice_id)) > 9 or not key:
            return Notice
        notice = Notice.browse(int(notice_id)).exists()
        if (
            not consteq(self._sign_notice(Notice.browse(int(notice_id))).encode(), str(key).encode()) or not notice
            or notice.partner_id != self.partner_id or notice.state != 'sent'
            or notice.company_id.id not in self.company_id._get_dunning_company_ids()
        ):
            return Notice
        return notice

    def _get_current_page(self):
        """Return the page of this debtor at the creditor: mostly this one."""
        self.ensure_one()
        return self.partner_id._get_dunning_page(self.company_id)

    def action_renew(self):
        """Give the page another address: links that were sent before are dead from now on."""
        self._check_may_manage()
        for page in self.sudo():  # sudo: nobody writes pages but this method and the next, after the check above
            page.write({'access_token': str(uuid.uuid4()), 'revoked_on': False})
        return True

    def action_revoke(self):
        """Take the address back: links that were sent are dead from now on, and no new ones are sent."""
        self._check_may_manage()
        for page in self.sudo():  # sudo: as above
            page.write({'access_token': False, 'revoked_on': page.company_id._dunning_today()})
        return True

    def action_open_page(self):
        """Show the page as the debtor sees it: with a link that only this colleague can use, and only to look."""
        self.ensure_one()
        self._check_may_manage()
        if not self._sees_whole():
            raise AccessError(self.env._(
                "The page of %s also shows what is owed to a company of the same creditor that you do not work for. A "
                "colleague who works for all of these companies can look at it.", self.partner_id.display_name))
        key = sign_look(self, self.env.user)
        return {'type': 'ir.actions.act_url', 'url': f'{self.access_url}?access_token={key}', 'target': 'new'}

    def _sees_whole(self):
        """Return whether the user works for all companies of the creditor to which the debtor owes or owed something.
        """
        page = self.sudo()  # sudo: only whether there is something
        others = set(page.company_id._get_dunning_company_ids()) - set(self.env.companies.ids)
        return self.env.su or not others or not page.env['account.move.line'].search_count([
            ('partner_id', 'child_of', page.partner_id.id), ('company_id', 'in', list(others)),
            ('account_type', '=', 'asset_receivable'), ('parent_state', '=', 'posted')], limit=1)

    def _check_may_manage(self):
        self.check_access('read')
        if not self.env.su and not self.env.user.has_group('account.group_account_invoice'):
            raise AccessError(self.env._("Only who works in accounting can do this with the page of a debtor."))

    # -------------------------------------------------------------------------
    # WHO OPENED IT
    # -------------------------------------------------------------------------

    def _register_visit(self, user):
        """Remember the day, for who is no colleague; not on every visit, so that visitors do not wait for each other.

        That the page was opened proves nothing: see :meth:`_register_reading`.
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        if self.opened_on != today and not user._is_internal():
            self.opened_on = today

    def _register_reading(self, notice, user):
        """Record that the debtor has a notice: he opened its letter on his page, or acted on a link that was in it.

        Only called for what a person does with a button. A mail scanner that fetches the link counts for nothing: the
        term of a 14-day letter (article 6:96 paragraph 6 BW) would begin on a day on which nobody had read it. A
        colleague who looks along is no proof either.
        """
        self.ensure_one()
        if notice and not user._is_internal() and notice.partner_id == self.partner_id:
            notice._register_opening(self.company_id._dunning_today())

    # -------------------------------------------------------------------------
    # ONE AT A TIME, AND ONE PER DEBTOR
    # -------------------------------------------------------------------------

    def _lock_to_pay(self):
        """Let nobody else begin to pay for this debtor until this transaction ends; who waited is asked anew."""
        self.ensure_one()
        self.env.flush_all()
        # What is done again is no error for the log.
        self.env.cr.execute(SQL("SELECT id FROM dunning_page WHERE id = %s FOR UPDATE", self.id), log_exceptions=False)
        # Without a write the other would go on with what it read before it waited.
        self.payment_begun_on = fields.Datetime.now()
        self.env.flush_all()

    def _fold_into(self, debtor):
        """Let the pages of contacts that are merged into a debtor become his, or part of his own page.

        Where he has a page already, what was sent from the others moves to it and their links are dead: one debtor has
        one key.
        """
        own = {page.company_id: page for page in self.search([('partner_id', '=', debtor.id)])}
        for page in self.search([('partner_id', 'in', self.partner_id.ids)], order='id') - self.browse(
                page.id for page in own.values()):
            kept = own.setdefault(page.company_id, page)
            if kept == page:
                page.partner_id = debtor
                continue
            known = set(kept.request_ids.mapped('key'))
            page.request_ids.filtered(lambda sent, known=known: sent.key not in known).page_id = kept
            page.unlink()
