from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..kernel.groups import ACCOUNTING
from .dunning_promise_follow import BROKEN_MONTHS

# Of fewer payments there is no average worth telling.
FEWEST_PAYMENTS = 3


class DebtorFacts(NamedTuple):
    """What every colleague may know of a debtor in a company, whoever sells to him: no amounts, no invoices."""

    level: models.Model
    #: Since the oldest due date of what is open; 0 when nothing is late.
    days_late: int
    #: Until when nothing is reminded, or False.
    hold: str
    #: The kind of insolvency, or False.
    insolvency: str
    #: A payment arrangement runs.
    arranged: bool
    #: A promise or an arrangement was broken within a year, and something is late still.
    broken: bool
    #: How late he pays on average, and how much later than before; see ``dunning.behaviour``. 0 where it is not known.
    average_days: float
    trend_days: float


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_promise_count = fields.Integer(
        string="Number of Promises", compute='_compute_dunning_promise', groups=ACCOUNTING)
    dunning_promise_text = fields.Char(
        string="Promises Kept", compute='_compute_dunning_promise', groups=ACCOUNTING,
        help="How many of the promises that were decided were kept in full.")
    dunning_arrangement_count = fields.Integer(
        string="Number of Arrangements", compute='_compute_dunning_arrangement', groups=ACCOUNTING)
    dunning_arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', string="Payment Arrangement", compute='_compute_dunning_arrangement',
        groups=ACCOUNTING, help="The arrangement that runs, else the one that is being made.")
    dunning_arrangement_story = fields.Char(
        string="Arrangement", compute='_compute_dunning_arrangement', groups=ACCOUNTING)
    dunning_arrangement_text = fields.Char(
        string="Arrangements Kept", compute='_compute_dunning_arrangement', groups=ACCOUNTING,
        help="How many of the arrangements that came to an end were kept.")

    @api.depends_context('company', 'lang')
    def _compute_dunning_promise(self):
        """Two queries for all contacts."""
        counts, texts = self._count_dunning_agreements(self.env['dunning.promise'])
        for partner in self:
            partner.dunning_promise_count = counts.get(partner.commercial_partner_id._origin.id, 0)
            partner.dunning_promise_text = texts.get(partner.id, False)

    @api.depends_context('company', 'lang')
    def _compute_dunning_arrangement(self):
        """A few queries for all contacts."""
        Arrangement = self.env['dunning.arrangement']
        counts, texts = self._count_dunning_agreements(Arrangement)
        found = Arrangement._get_current(self.env.company, self.browse(counts))
        for partner in self:
            debtor_id = partner.commercial_partner_id._origin.id
            current = found.get(debtor_id, Arrangement)
            partner.dunning_arrangement_count = counts.get(debtor_id, 0)
            partner.dunning_arrangement_id = current
            partner.dunning_arrangement_story = current.story
            partner.dunning_arrangement_text = texts.get(partner.id, False)

    def _count_dunning_agreements(self, Agreement):
        """Return ``{debtor id: number}`` of agreements, and ``{contact id: text}`` of how many of them were kept."""
        groups = Agreement._read_group(
            [('partner_id', 'in', self.commercial_partner_id.ids),
             ('company_id', 'in', self.env.company._get_dunning_company_ids())],
            ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        ratios = Agreement._get_kept_ratio(self, self.env.company) if counts else {}
        return counts, {
            partner_id: self.env._("%(kept)s of %(decided)s", kept=kept, decided=decided)
            for partner_id, (kept, decided) in ratios.items() if decided}

    def _get_dunning_facts(self, company):
        """Return ``{debtor id: DebtorFacts}`` of the debtors of these contacts; the same few queries for any number."""
        # sudo: what is told of invoices, holds and agreements is for every colleague; see the class
        debtors = self.commercial_partner_id._origin.with_company(company).sudo()
        today = company._dunning_today()
        Hold, Promise, Arrangement = (
            debtors.env[model] for model in ('dunning.hold', 'dunning.promise', 'dunning.arrangement'))
        mine = Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain('partner_id', 'in', debtors.ids)
        insolvent = {hold.partner_id.id: hold for hold in Hold.search(
            mine & Hold._get_active_domain(today)
            & Domain([('scope', '=', 'debtor'), ('insolvency_kind', '!=', False)]), order='id')}
        kinds = dict(Hold._fields['insolvency_kind']._description_selection(self.env)) if insolvent else {}
        since = today - relativedelta(months=BROKEN_MONTHS)
        arranged, broken = set(), {partner.id for (partner,) in Promise._read_group(
            mine & Domain([('state', '=', 'broken'), ('decided_on', '>', since)]), ['partner_id'])}
        for partner, state in Arrangement._read_group(
            mine & (Domain('state', '=', 'active') | Domain([('state', '=', 'broken'), ('closed_on', '>', since)])),
            ['partner_id', 'state'],
        ):
            (arranged if state == 'active' else broken).add(partner.id)
        behaviours = {behaviour.partner_id.id: behaviour for behaviour in debtors.env['dunning.behaviour'].search(
            mine & Domain('item_count', '>=', FEWEST_PAYMENTS))}
        unknown = debtors.env['dunning.behaviour']
        return {
            debtor.id: DebtorFacts(
                level=debtor.dunning_level_id.with_env(self.env),
                days_late=debtor.dunning_days_overdue,
                hold=debtor.dunning_hold_text,
                insolvency=debtor.id in insolvent and kinds[insolvent[debtor.id].insolvency_kind],
                arranged=debtor.id in arranged,
                broken=debtor.id in broken and debtor.dunning_days_overdue > 0,
                average_days=behaviours.get(debtor.id, unknown).average_days_late,
                trend_days=behaviours.get(debtor.id, unknown).trend_days)
            for debtor in debtors}

    def _explain_dunning_facts(self, facts, says_days=False):
        """Return ``{fact: sentence}`` of what is worth knowing of one debtor, for every colleague; nothing of nobody.

        :param DebtorFacts facts: what is known
        :param says_days: whether days late are told of a debtor without a level; a few days alone are no news
        """
        env = self.env
        sentences = {
            'level': facts.level and env._(
                "%(customer)s is at level “%(level)s”.", customer=self.name, level=facts.level.name),
            'late': (facts.level or says_days) and facts.days_late > 0 and env._(
                "The oldest open invoice is %s days late.", facts.days_late),
            'broken': facts.broken and env._("A promise to pay or a payment arrangement was broken."),
            'arranged': facts.arranged and env._("A payment arrangement runs."),
            'insolvency': facts.insolvency and env._(
                "%(customer)s is insolvent: %(kind)s.", customer=self.name, kind=facts.insolvency),
            'hold': facts.hold and not facts.insolvency and env._("Reminders: %s.", facts.hold),
        }
        return {fact: text for fact, text in sentences.items() if text}

    def action_dunning_promise(self):
        """Open the wizard that records a promise of this debtor about everything he owes."""
        return self.env['dunning.promise.make']._action_open(partner=self)

    def action_dunning_promises(self):
        """Show the promises of this debtor."""
        return self._action_dunning_agreements('dunning.promise', 'l10n_nl_dunning.dunning_promise_action')

    def action_dunning_arrangement(self):
        """Open the wizard that makes an arrangement with this debtor about everything he owes."""
        return self.env['dunning.arrangement.make']._action_open(partner=self)

    def action_dunning_arrangements(self):
        """Show the arrangements with this debtor."""
        return self._action_dunning_agreements('dunning.arrangement', 'l10n_nl_dunning.dunning_arrangement_action')

    def _action_dunning_agreements(self, model, action):
        """Return the action of these agreements with this debtor; of the one there is, where there is only one."""
        self.ensure_one()
        self.env[model].check_access('read')
        domain = [('partner_id', '=', self.commercial_partner_id.id)]
        found = self.env[model].search(domain, limit=2)
        if len(found) == 1:
            return found._get_records_action()
        return {**self.env['ir.actions.act_window']._for_xml_id(action), 'domain': domain, 'context': {}}
