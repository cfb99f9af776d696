"""A debtor who answers is read before the next reminder goes to him.

Whatever he writes (paid, disputed, bankrupt, on holiday until the tenth) a machine cannot judge. Until a
person did, everything of this debtor is on hold, as with any other hold: with an owner, an end and a soft landing.
"""

from datetime import timedelta

from odoo import api, fields, models

# What mail programs write when nobody wrote (RFC 3834, and what came before it). Bounces never come this far.
AUTOMATIC_HEADERS = {
    'Auto-Submitted': lambda value: value != 'no',
    'X-Autoreply': lambda value: value not in ('no', 'false'),
    'X-Autorespond': bool,
    'Precedence': lambda value: value in ('auto_reply', 'bulk', 'junk', 'list'),
}


def is_automatic(message):
    """Return whether an ``email.message.EmailMessage`` was written by a machine, such as “I am on holiday”."""
    for name, says_so in AUTOMATIC_HEADERS.items():
        value = str(message.get(name) or '').split(';')[0].strip().lower()
        if value and says_so(value):
            return True
    return False


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_pause_on_reply = fields.Boolean(
        string="Wait After a Reply",
        default=True,
        help="When a debtor answers a reminder by e-mail, the next one waits until somebody has read the answer.",
        prefetch='dunning',
    )


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_pause_on_reply = fields.Boolean(related='company_id.dunning_pause_on_reply', readonly=False)


class MailThread(models.AbstractModel):
    _inherit = 'mail.thread'

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        thread = self.with_context(dunning_automatic_reply=True) if is_automatic(message) else self
        return super(MailThread, thread)._message_route_process(message, message_dict, routes)


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def message_update(self, msg_dict, update_vals=None):
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for notice in self:
            notice.partner_id._pause_for_reply(notice.company_id, notice, msg_dict)
        return result


class AccountMove(models.Model):
    _inherit = 'account.move'

    def message_update(self, msg_dict, update_vals=None):
        self.check_access('write')  # the mail gateway may; who calls it in another way must be allowed to
        result = super().message_update(msg_dict, update_vals)
        for move in self.filtered(lambda move: move.state == 'posted' and move.is_sale_document()):
            # An answer to the mail of an invoice counts once the invoice is being reminded of.
            if move.dunning_line_ids.filtered(lambda line: line.status in ('pending', 'sent')):
                move.commercial_partner_id._pause_for_reply(move.company_id, move, msg_dict)
        return result


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def _pause_for_reply(self, company, record, msg_dict):
        """Put everything of this debtor on hold because he answered, and ask somebody to read it.

        :param company: the company he answered
        :param record: what he answered to: a notice or an invoice
        :param dict msg_dict: the e-mail, as the mail gateway read it
        :return: the new ``dunning.hold``, empty when nothing has to wait
        """
        self.ensure_one()
        Hold = self.env['dunning.hold'].with_company(company)
        reason = self.env.ref('l10n_nl_dunning.hold_reason_reply', raise_if_not_found=False)
        author = self.env['res.partner'].browse(msg_dict.get('author_id') or []).exists()
        if (
            not company.dunning_pause_on_reply or not reason or not reason.active
            or self.env.context.get('dunning_automatic_reply')
            or any(not user.share for user in author.user_ids)  # a colleague wrote
        ):
            return Hold
        today = company._dunning_today()
        if Hold.search([
            ('company_id', '=', company.id), ('partner_id', '=', self.id), ('reason_id', '=', reason.id),
            ('closed_on', '=', False), ('date_end', '>=', today),
        ], limit=1):
            return Hold  # it is waiting to be read already
        # An invoice of an account that is not reminded of holds up nothing.
        if not self.env['account.move.line'].search_count(
            self.env['account.move']._get_dunning_open_items_domain() & fields.Domain('company_id', '=', company.id)
            & fields.Domain('partner_id.commercial_partner_id', '=', self.id), limit=1,
        ):
            return Hold
        Service = self.env['dunning.prescription'].with_company(company)
        move = record if record._name == 'account.move' else record.line_ids.move_id[:1]
        owner = Service._get_responsible(self, move) or self.env.user
        env = self.with_context(lang=owner.lang).env
        sender = author.name or msg_dict.get('email_from') or self.name
        hold = Hold.create({
            'company_id': company.id,
            'partner_id': self.id,
            'reason_id': reason.id,
            'user_id': owner.id,
            'date_end': today + timedelta(days=reason.default_days),
            'note': env._("%(sender)s answered %(what)s.", sender=sender, what=record.display_name),
        })
        hold._take_back_notices()
        record.activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=today, user_id=owner.id,
            summary=env._("Read the answer of %s", self.name),
            note=env._(
                "Reminders to this debtor wait until %(date)s. Read what was written; place the hold that belongs to "
                "it, such as a dispute or a promise, and close the hold “%(reason)s”.",
                date=fields.Date.to_string(hold.date_end), reason=reason.with_env(env).name))
        return hold
