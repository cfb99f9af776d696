"""What is missing before a claim can be handed over to a collection agency, bailiff or lawyer."""

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.law.dated_facts import needs_agency_register
from ..notice.dunning_notice import USER_WRITABLE_HANDED_OUT
from ..sending.dunning_notice import USER_WRITABLE_SENDING


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'
    _user_writable = USER_WRITABLE_SENDING | {'agency_id'}
    _user_writable_handed_out = USER_WRITABLE_HANDED_OUT | {'agency_id'}

    agency_id = fields.Many2one(
        comodel_name='res.partner', string="Handed Over To", copy=False, index='btree_not_null',
        help="The collection agency, bailiff or lawyer that takes this claim over.")
    dossier_gaps = fields.Text(
        string="Missing in the Dossier", compute='_compute_dossier_gaps',
        help="What an agency, a bailiff or a court will ask for and is not there.")

    @api.depends(
        'channel', 'state', 'line_ids', 'partner_id', 'agency_id.dunning_wki_number', 'agency_id.dunning_wki_exempt')
    def _compute_dossier_gaps(self):
        for notice in self:
            shown = notice.channel == 'task' and notice.state == 'todo'
            notice.dossier_gaps = "\n".join(notice._get_dossier_gaps()) if shown else False

    def _is_agency_missing(self):
        """Return whether it is not known that who takes this claim on a natural person over is registered.

        Articles 2, 4 and 18 of the Wki. A natural person is a consumer, and whoever is no company in the books: it
        need not be shown there that somebody trades under a name of his own.
        """
        self.ensure_one()
        debtor, agency = self.partner_id, self.agency_id
        is_person = debtor.country_id.code in (False, 'NL') and (
            debtor.dunning_effective_type == 'consumer' or not debtor.is_company)
        return (
            self.channel == 'task'
            and needs_agency_register(self.date or self.company_id._dunning_today(), is_person)
            and not (agency.dunning_wki_exempt or (agency.dunning_wki_number or '').strip()))

    def _get_dossier_gaps(self):
        """Return sentences about what is missing to hand the items of this notice over; none when it is complete.

        An open dispute is not among them: then the planner does not plan a hand-over at all.
        """
        self.ensure_one()
        debtor, gaps = self.partner_id, []
        if not (debtor.street and debtor.city):
            gaps.append(self.env._("The postal address of the debtor (street and city), for a summons."))
        kind = debtor.dunning_effective_type
        if kind == 'business' and not (debtor.company_registry or debtor.vat):
            gaps.append(self.env._("The company number of the debtor, which says whom to summon."))
        if self._is_agency_missing():
            gaps.append(
                self.env._(
                    "The number of %s in the register of the Wki, on its contact. Until it is there the specification "
                    "has no interest and no collection costs: an agency that is not registered cannot ask those of a "
                    "natural person (article 18 Wki).", self.agency_id.display_name) if self.agency_id
                else self.env._(
                    "Who takes the claim over, with its number in the register of the Wki. Until it is there the "
                    "specification has no interest and no collection costs: an agency that is not registered cannot "
                    "ask those of a natural person (article 18 Wki)."))
        moves = self.live_line_ids.move_id
        for move in moves.filtered(lambda move: move.move_type == 'out_invoice' and not move.invoice_pdf_report_id):
            gaps.append(self.env._("The PDF of invoice %s as it was sent: none is stored with it.", move.name))
        Line = self.env['dunning.notice.line']
        sent = Line.search(
            Domain('move_line_id', 'in', self.live_line_ids.move_line_id.ids) & Domain('status', '=', 'sent')
            & Line._get_standing_domain())
        told = sent.notice_id.filtered(lambda notice: notice.channel in ('email', 'letter', 'both'))
        for move in moves:
            if not sent.filtered(lambda line, move=move: line.move_id == move and line.notice_id in told):
                gaps.append(self.env._(
                    "A letter or e-mail about %s that left: the debtor was never reminded.", move.name))
        if kind == 'consumer':
            company, items = self.company_id, self.live_line_ids.move_line_id
            effects = self.env['dunning.claim'].with_company(company)._get_effects(items, company._dunning_today())
            for move in items.filtered(lambda item: not effects[item.id].costs_from).move_id:
                gaps.append(self.env._(
                    "A 14-day letter about %s that was received and holds: without it a consumer owes no collection "
                    "costs (article 6:96 BW).", move.name))
        return gaps
