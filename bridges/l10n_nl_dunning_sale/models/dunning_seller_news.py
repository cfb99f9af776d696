"""What a salesperson is told of customers who pay late: found every night, told as he chose; never an amount."""

import logging
from datetime import timedelta
from typing import NamedTuple

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import api, fields, models

from odoo.addons.l10n_nl_dunning.models.kernel.formats import format_day

_logger = logging.getLogger(__name__)

ACTIVITY = 'l10n_nl_dunning_sale.mail_activity_type_news'
# What happened longer ago is no news: nights can be missed, and somebody can choose a level today.
NEWS_DAYS = 7
KEEP_DAYS = 365
MOST_NAMES = 5


class Event(NamedTuple):
    """Something that salespeople want to know of a debtor."""

    kind: str
    #: What happened, as ``model,id``: it is told once.
    source: str
    debtor: models.Model
    #: Who sells to the debtor, or sold what it is about.
    users: models.Model
    #: The invoices it is about.
    moves: models.Model
    #: Returns a sentence: ``explain(env, moves of this user)``.
    explain: object


class DunningSellerNews(models.Model):
    _name = 'dunning.seller.news'
    _description = "News for a Salesperson"
    _order = 'date, id'
    _rec_name = 'text'

    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, ondelete='cascade')
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Customer", required=True, index=True, ondelete='cascade')
    user_id = fields.Many2one(
        comodel_name='res.users', string="Salesperson", required=True, index=True, ondelete='cascade')
    kind = fields.Selection(
        selection=[
            ('level', "Level reached"), ('handed', "Handed over"), ('broken', "Arrangement broken"), ('paid', "Paid")],
        required=True)
    source = fields.Char(required=True)
    date = fields.Date(required=True)
    text = fields.Char(required=True)
    is_told = fields.Boolean()

    _once = models.UniqueIndex("(user_id, kind, source)", "This was told already.")

    @api.model
    def _tell(self, company, at_date):
        """Find what is new in a company, and tell each salesperson the way he chose."""
        News = self.sudo().with_company(company)  # sudo: the program writes down what it found
        # Paid last: of what was found before.
        for find in (News._find_notices, News._find_broken, News._find_paid):
            News._note(company, at_date, find(company, at_date))
        waiting = News.search([('company_id', 'in', company._get_dunning_company_ids()), ('is_told', '=', False)])
        for user, news in waiting.grouped('user_id').items():
            try:
                with self.env.cr.savepoint():
                    news._deliver(user, at_date)
            except OperationalError:
                raise  # another transaction was first: the next night does it
            except Exception:  # one user who cannot be told keeps no company from being planned
                _logger.exception("User %s could not be told about customers", user.id)

    @api.model
    def _note(self, company, at_date, events):
        """Write down what each salesperson did not know yet."""
        known = {(news.user_id.id, news.kind, news.source) for news in self.search(
            [('source', 'in', [event.source for event in events])])}
        vals_list = []
        for event in events:
            for user in event.users.filtered(lambda user: user._wants_dunning_news(company)):
                if (user.id, event.kind, event.source) not in known:
                    moves = event.moves.filtered(lambda move, user=user: move.invoice_user_id == user)
                    vals_list.append({
                        'company_id': company.id, 'partner_id': event.debtor.id, 'user_id': user.id,
                        'kind': event.kind, 'source': event.source, 'date': at_date,
                        'text': event.explain(self.with_context(lang=user.lang).env, moves)})
        self.create(vals_list)

    # -------------------------------------------------------------------------
    # WHAT HAPPENED
    # -------------------------------------------------------------------------

    @api.model
    def _find_notices(self, company, at_date):
        """Return which notices left from the level that the policy chooses on, and which debtors were handed over."""
        notices = self.env['dunning.notice'].search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('state', '=', 'sent'), ('date', '<=', at_date),
            ('date', '>', at_date - timedelta(days=NEWS_DAYS)),
            ('level_id.policy_id.seller_level_id', '!=', False)])
        events = []
        for notice in notices:
            handed = notice.channel == 'task' and notice.agency_id
            if handed or notice.level_id._is_dunning_from(notice.level_id.policy_id.seller_level_id):
                moves = notice.live_line_ids.move_id
                events.append(Event(
                    'handed' if handed else 'level', f'dunning.notice,{notice.id}', notice.partner_id,
                    notice.partner_id.user_id | moves.invoice_user_id, moves,
                    notice._explain_dunning_handed if handed else notice._explain_dunning_left))
        return events

    @api.model
    def _find_broken(self, company, at_date):
        """Return which arrangements were broken."""
        arrangements = self.env['dunning.arrangement'].search([
            ('company_id', 'in', company._get_dunning_company_ids()),
            ('state', '=', 'broken'), ('closed_on', '<=', at_date),
            ('closed_on', '>', at_date - timedelta(days=NEWS_DAYS))])
        events = []
        for arrangement in arrangements:
            debtor, moves = arrangement.partner_id, arrangement.line_ids.move_line_id.move_id
            if debtor.dunning_effective_policy_id.seller_level_id:
                events.append(Event(
                    'broken', f'dunning.arrangement,{arrangement.id}', debtor, debtor.user_id | moves.invoice_user_id,
                    moves, lambda env, _moves, debtor=debtor: env._(
                        "%s did not keep the payment arrangement.", debtor.name)))
        return events

    @api.model
    def _find_paid(self, company, _at_date):
        """Return which debtors somebody was told about owe nothing any more that is late."""
        groups = self._read_group(
            [('company_id', 'in', company._get_dunning_company_ids())], ['partner_id', 'user_id'], ['id:max'])
        last = self.browse(latest for _partner, _user, latest in groups).filtered(lambda news: news.kind != 'paid')
        facts = last.partner_id._get_dunning_facts(company)
        events = []
        for news in last:
            debtor, known = news.partner_id, facts[news.partner_id.commercial_partner_id.id]
            if not known.level and not known.days_late:
                events.append(Event(
                    'paid', f'{self._name},{news.id}', debtor, news.user_id, self.env['account.move'],
                    lambda env, _moves, debtor=debtor: env._("Nothing of %s is late any more.", debtor.name)))
        return events

    # -------------------------------------------------------------------------
    # TELLING IT
    # -------------------------------------------------------------------------

    def _deliver(self, user, at_date):
        """Tell one salesperson these news, when their time has come."""
        if user.dunning_news == 'weekly':
            # On Mondays, or as soon as a Monday was missed.
            if at_date.weekday() and min(self.mapped('date')) > at_date - timedelta(days=7):
                return
            self._send_week(user)
        elif user.dunning_news == 'activity':
            for debtor, news in self.grouped('partner_id').items():
                if 'paid' in news.mapped('kind'):
                    debtor.activity_unlink([ACTIVITY], user_id=user.id)
                # The list of activities tells it: no e-mail for each.
                debtor.with_context(mail_activity_quick_update=True).activity_schedule(
                    ACTIVITY, user_id=user.id, date_deadline=at_date, note=news._get_body())
        self.is_told = True

    def _get_body(self):
        return Markup("<br/>").join(self.mapped('text'))

    def _send_week(self, user):
        """Send one e-mail with all of it."""
        env = self.with_context(lang=user.lang).env
        self.env['mail.thread'].message_notify(
            partner_ids=user.partner_id.ids, subject=env._("How your customers paid this week"),
            body=Markup().join(
                Markup("<p><strong>%s</strong></p><ul>%s</ul>") % (
                    format_day(env, day), Markup().join(Markup("<li>%s</li>") % text for text in news.mapped('text')))
                for day, news in self.grouped('date').items()))

    @api.autovacuum
    def _gc_told(self):
        """Forget what was told long ago."""
        self.search([('date', '<', fields.Date.today() - timedelta(days=KEEP_DAYS))]).unlink()
