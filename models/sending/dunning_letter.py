"""Looking at letters, and the pile that goes to the post."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.pdf import merge_pdf

from ..ladder.dunning_level import MANUAL_CHANNELS
from ..notice.dunning_notice import MADE_STATES

# Kept that long, for a printer that jammed.
PRINT_PILE_DAYS = 7


class DunningLetter(models.AbstractModel):
    _inherit = 'dunning.letter'

    @api.model
    def _get_pdfs(self, notices):
        """Return ``{notice_id: pdf bytes}`` to look at: what left, or for what did not leave yet a draft."""
        notices.check_access('read')
        notices._check_sees_whole()
        left = notices.filtered(
            lambda notice: notice.state in (*MADE_STATES, 'sent', 'withdrawn') and notice.letter_sha256)
        pdfs = self._get_frozen_pdfs(left)
        for notice in notices - left:
            if notice.channel in MANUAL_CHANNELS:
                raise UserError(self.env._(
                    "%(notice)s is not a letter but a call or a task for a colleague.", notice=notice.display_name))
            if notice.state not in ('draft', 'queued', 'error'):
                raise UserError(self.env._(
                    "%(notice)s did not leave as a letter, so there is none to show.", notice=notice.display_name))
            pdfs[notice.id] = self._preview(lambda notice=notice: notice)
        return pdfs

    @api.model
    def _preview(self, get_notice):
        """Return the PDF of the notice as it would leave today; whatever that writes is undone."""
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            notice = get_notice()
            notice._check_sees_whole()
            # sudo: nothing of it stays, and the caller may read what the letter says
            notice = notice.sudo()
            notice = notice.with_company(notice.company_id)
            dispatcher = notice.env['dunning.dispatcher']
            at_date = notice.company_id._dunning_today()
            pdf, reason = b'', ''
            if not dispatcher._refuse_unlawful(dispatcher._recheck(notice, at_date), at_date):
                reason = notice.cancel_reason or notice.error_message or ''
            else:
                dispatcher._prepare_letters(notice, at_date)
                if dispatcher._refuse_unlawful_letters(notice):
                    pdf = notice.env['dunning.letter']._render_pdfs(notice, concept=True)[notice.id]
                else:
                    reason = notice.error_message
            savepoint.rollback()
        self.env.invalidate_all()
        if reason:
            raise UserError(self.env._("Nothing would leave today. %s", reason))
        return pdf

    @api.model
    def _action_print_pile(self, notices):
        """Print the letters that wait for the post as one PDF, in the order the post wants them.

        What was paid in the meantime falls out; what changed is made again first.
        """
        notices.check_access('write')
        pile = notices.filtered(
            lambda notice: notice.postal_state in ('to_print', 'printed') and notice.letter_sha256)
        if not pile:
            raise UserError(self.env._(
                "None of the selected notices is a letter that waits for the post."))
        dispatcher = self.env['dunning.dispatcher']
        waiting = pile.filtered(lambda notice: notice.state == 'to_post')
        waiting = waiting.try_lock_for_update()
        for company, batch in waiting.grouped('company_id').items():
            dispatcher.with_company(company)._recheck(batch, company._dunning_today())
        # What changed was put back into the queue: make it again now, for this pile.
        dispatcher._dispatch_interactively(waiting.filtered(lambda notice: notice.state == 'queued'))
        mailed = self._still_open(pile.filtered(lambda notice: notice.state in ('leaving', 'sent')))
        ready = waiting.filtered(lambda notice: notice.state == 'to_post') | mailed
        if not ready:
            problems = "\n".join(dict.fromkeys(filter(None, waiting.mapped('error_message'))))
            raise UserError(problems or self.env._(
                "There is nothing left to print: what these letters ask for was paid or changed in the meantime."))
        ready = ready.sorted(self._get_postal_key)
        pdfs = self._get_frozen_pdfs(ready)
        content = merge_pdf([pdfs[notice.id] for notice in ready])
        ready._recording().write({'postal_state': 'printed'})
        today = self.env.company._dunning_today()
        # No res_id: only who printed it can read it.
        attachment = self.env['ir.attachment'].create({
            'name': self.env._("Letters %(date)s (%(count)s).pdf", date=today, count=len(ready)),
            'res_model': 'dunning.letter',
            'mimetype': 'application/pdf',
            'raw': content,
        })
        return {
            'type': 'ir.actions.act_url',
            'url': f"/web/content/{attachment.id}?download=true",
            'target': 'self',
        }

    @api.model
    def _still_open(self, notices):
        """Return the mailed notices whose letter still says the truth; the paper of the others is not needed."""
        true = notices.filtered(lambda notice: notice.recipient_id in notice._get_people() and all(
            line.move_line_id
            and not notice.currency_id.compare_amounts(
                line.move_line_id.amount_residual_currency, line.amount_residual)
            for line in notice.live_line_ids))
        changed = notices - true
        changed._recording().write({'postal_state': False})
        changed._update_receipt()  # without the paper only the e-mail counts
        text = self.env._(
            "The paper copy was not printed: since the e-mail left, something was paid, credited or changed.")
        changed._message_log_batch(dict.fromkeys(changed.ids, text))
        return true

    @api.model
    def _get_postal_key(self, notice):
        partner = notice._get_postal_partner()
        home = notice.company_id.country_id
        country = partner.country_id or home
        return (
            country != home, country.code or '', (partner.zip or '').replace(' ', '').upper(),
            (partner.street or '').lower(), notice.partner_id.name or '', notice.id)

    @api.autovacuum
    def _gc_print_piles(self):
        """Piles are copies of letters that are kept elsewhere."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=PRINT_PILE_DAYS)
        self.env['ir.attachment'].search([
            ('res_model', '=', 'dunning.letter'), ('res_id', '=', 0), ('create_date', '<', limit)]).unlink()
