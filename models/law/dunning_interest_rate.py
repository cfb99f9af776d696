from bisect import bisect_right
from datetime import date, timedelta
from decimal import Decimal

from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import format_date, formatLang

from ...tools.law.statutory_interest import RateTable

#: Who owes which interest: article 6:119 BW, or 6:119a (trade) and 6:119b (government) BW.
KINDS = [
    ('consumer', "Consumers (6:119 BW)"),
    ('commercial', "Businesses (6:119a BW)"),
]
# A new half-year is announced to the manager this many days before.
HEADS_UP_DAYS = 14
# A reminder ticked off without the rate being confirmed comes back after this many days.
REPEAT_DAYS = 7


def half_year(day):
    """Return the (first, last) day of the half-year of a day; rates can change on its first (article 6:120 BW)."""
    if day.month <= 6:
        return date(day.year, 1, 1), date(day.year, 6, 30)
    return date(day.year, 7, 1), date(day.year, 12, 31)


class DunningInterestRate(models.Model):
    """The statutory interest in percent per year, from a day on until the next rate of its kind.

    Rates are law, the same for every company. They are not known ahead: a half-year is
    *confirmed* when a rate starts in it, or when a person said that the rate did not
    change in it. Interest over a half-year that nobody confirmed is a guess, so letters
    that ask for it wait (see ``_freshness``).
    """

    _name = 'dunning.interest.rate'
    _description = "Statutory Interest Rate"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'dunning.interest.alert']
    _order = 'kind, date_from desc, id desc'
    _rec_names_search = ['source']

    kind = fields.Selection(
        selection=KINDS,
        required=True,
        default='commercial',
        tracking=True,
        help="Statutory interest (wettelijke rente): owed by consumers.\n"
             "Statutory commercial interest (wettelijke handelsrente): owed by businesses and government bodies.",
    )
    date_from = fields.Date(
        string="From",
        required=True,
        tracking=True,
        help="The first day of this rate. Nearly always 1 January or 1 July.",
    )
    date_until = fields.Date(string="Until", compute='_compute_date_until', help="The last day of this rate.")
    percent = fields.Float(
        string="% per Year",
        required=True,
        digits=(6, 3),
        aggregator=None,  # a sum or average of rates means nothing
        tracking=True,
        help="Percent per year. A rate that starts on another day is a new line: change a line only when it is wrong.",
    )
    source = fields.Char(
        required=True,
        translate=True,
        tracking=True,
        help="Where this rate was found: the decree with its number in the Staatsblad, the rate of the ECB plus eight "
             "percentage points, or the page on which the government publishes it.",
    )
    confirmed_until = fields.Date(
        readonly=True,
        copy=False,
        tracking=True,
        help="The last day for which somebody looked up that this rate did not change.",
    )
    confirmed_on = fields.Date(readonly=True, copy=False)
    confirmed_by_id = fields.Many2one(
        comodel_name='res.users', readonly=True, copy=False, index='btree_not_null')
    active = fields.Boolean(default=True, tracking=True)
    has_begun = fields.Boolean(compute='_compute_today')
    can_confirm = fields.Boolean(compute='_compute_today')
    stale_sentence = fields.Char(compute='_compute_today')

    _check_percent = models.Constraint(
        'CHECK(percent >= 0 AND percent < 30)',
        "A statutory interest rate lies between 0 and 30 percent per year. Enter 10.4 for 10.4%.",
    )
    _kind_date_from_uniq = models.UniqueIndex(
        "(kind, date_from) WHERE active IS TRUE",
        "There is a rate of this kind from this day on already. Change that one, or archive it first.",
    )

    # --- computed for the screen ---

    @api.depends('kind', 'date_from', 'percent')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for rate in self:
            if not rate.date_from:
                rate.display_name = self.env._("New rate")
                continue
            values = {
                'percent': formatLang(self.env, rate.percent, digits=2),
                'day': format_date(self.env, rate.date_from),
            }
            rate.display_name = (
                self.env._("Statutory interest %(percent)s%% from %(day)s", **values) if rate.kind == 'consumer'
                else self.env._("Statutory commercial interest %(percent)s%% from %(day)s", **values))

    @api.depends('kind', 'date_from', 'active')
    def _compute_date_until(self):
        for rate in self:
            following = rate._get_following_date()
            rate.date_until = following and following - timedelta(days=1)

    @api.depends('kind', 'date_from', 'confirmed_until', 'active')
    @api.depends_context('dunning_at_date', 'company', 'lang')
    def _compute_today(self):
        """What depends on the day somebody looks."""
        today = self.env.company._dunning_today()
        sentences = {kind: self._get_stale_sentence(kind, today) for kind, _label in KINDS}
        for rate in self:
            rate.has_begun = bool(rate.date_from) and rate.date_from <= today
            rate.can_confirm = bool(rate._get_confirmable_until(today))
            rate.stale_sentence = sentences.get(rate.kind)

    @api.onchange('percent', 'date_from')
    def _onchange_begun(self):
        before = self._origin
        if not before.date_from or before.date_from > self.env.company._dunning_today():
            return None
        if (before.percent, before.date_from) == (self.percent, self.date_from):
            return None
        return {'warning': {
            'title': self.env._("This rate has begun"),
            'message': self.env._(
                "From now on every claim is computed with what you enter here, also over the past. Letters that were "
                "sent keep their figures. If the rate changed, add a line from the day of the change instead."),
        }}

    # --- keeping the table ---

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        self.env.registry.clear_cache()
        rates._close_warnings()
        return rates

    def write(self, vals):
        done = super().write(vals)
        if not vals.keys().isdisjoint(('kind', 'date_from', 'percent', 'confirmed_until', 'active')):
            self.env.registry.clear_cache()
            self._close_warnings()
        return done

    def unlink(self):
        done = super().unlink()
        self.env.registry.clear_cache()
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_except_begun_or_shipped(self):
        """A rate that claims may have been computed with stays, with its log; so does one that shipped.

        A shipped rate that was deleted would come back with the next upgrade, while an archived one stays archived.
        """
        today = self.env.company._dunning_today()
        shipped = self.env['ir.model.data'].sudo().search_count([  # sudo: only asks whether the rate shipped
            ('model', '=', self._name), ('res_id', 'in', self.ids), ('module', '=', 'l10n_nl_dunning')], limit=1)
        if shipped or any(rate.date_from <= today for rate in self):
            raise UserError(self.env._(
                "Claims may have been computed with this rate, so it stays as their proof. "
                "Change it or archive it instead; both are logged."))

    def _load_records_create(self, vals_list):
        """Let a rate that comes with a new version of the addon be the one somebody has typed in before.

        His percentage and his source stay: what a person entered is never overwritten.
        """
        if not self.env.context.get('install_module'):
            return super()._load_records_create(vals_list)
        rates = self.browse()
        for vals in vals_list:  # a handful of new rates, once per upgrade
            rates += (
                self.search([('kind', '=', vals['kind']), ('date_from', '=', vals['date_from'])], limit=1)
                or super()._load_records_create([vals]))
        return rates

    # --- what claims ask ---

    @api.model
    @tools.ormcache('kind')
    def _get_rows(self, kind):
        """Return all rates of a kind as ``((first day, percent, confirmed until or None), ...)``, the oldest first."""
        # sudo: rates are public law; debtors on the portal and salespeople see claims computed with them
        rates = self.sudo().with_context(active_test=True).search([('kind', '=', kind)], order='date_from')
        return tuple(
            # round: the database has three decimals, the float that stands for them may have more
            (rate.date_from, Decimal(str(round(rate.percent, 3))), rate.confirmed_until or None) for rate in rates)

    @api.model
    @tools.ormcache('kind')
    def _get_table(self, kind):
        """Return the ``RateTable`` of the statutory rates of a kind.

        :param str kind: ``'consumer'`` (article 6:119 BW) or ``'commercial'`` (articles 6:119a and 6:119b BW)
        """
        return RateTable([(date_from, percent) for date_from, percent, _confirmed in self._get_rows(kind)])

    @api.model
    @tools.ormcache('kind')
    def _get_known_until(self, kind):
        """Return the last day up to which every half-year since the first rate is confirmed, or ``None``."""
        known = None
        for date_from, _percent, confirmed in self._get_rows(kind):
            first, last = half_year(date_from)
            if known and first > known + timedelta(days=1):
                break  # a half-year nobody confirmed lies in between
            known = max(known or last, last, confirmed or last)
        return known

    @api.model
    def _freshness(self, at_date):
        """Return the kinds of which the rate is not confirmed for the half-year of a day.

        Nor is it when an earlier half-year (after the first rate) was never confirmed:
        interest that runs through that one would be a guess just the same.
        """
        last = half_year(at_date)[1]
        return [kind for kind, _label in KINDS if (self._get_known_until(kind) or date.min) < last]

    @api.model
    def _get_stale_sentence(self, kind, at_date):
        """Return what a person should do before interest of a kind can be asked on a day, or ``False``."""
        return self._get_stale_text([kind] if kind in self._freshness(at_date) else [], at_date)

    @api.model
    def _get_stale_text(self, kinds, at_date):
        """Return which rates were not confirmed and what to do about it, or ``False`` when there is no such kind."""
        facts = []
        for kind in kinds:
            known = self._get_known_until(kind)
            # The half-year to look up is the first one without an answer, which may be before the one asked for.
            period = self._format_half_year(known + timedelta(days=1) if known else at_date)
            facts.append(
                self.env._("The statutory interest (wettelijke rente) in the %s was not confirmed.", period)
                if kind == 'consumer' else self.env._(
                    "The statutory commercial interest (wettelijke handelsrente) in the %s was not confirmed.", period))
        return bool(facts) and " ".join([*facts, self.env._(
            "Look it up at Rijksoverheid, and add it or confirm that it did not change, under "
            "Configuration ‣ Statutory Interest.")])

    @api.model
    def _format_half_year(self, day):
        if day.month <= 6:
            return self.env._("first half of %s", day.year)
        return self.env._("second half of %s", day.year)

    # --- confirming ---

    def _get_following_date(self):
        """Return the first day of the next rate of the kind, or ``False``."""
        self.ensure_one()
        if not self.date_from or not self.active:
            return False
        rows = self._get_rows(self.kind)
        position = bisect_right(rows, self.date_from, key=lambda row: row[0])
        return rows[position][0] if position < len(rows) else False

    def _get_confirmable_until(self, today):
        """Return until when a person can say today that this rate did not change, or ``False``."""
        self.ensure_one()
        if not self.date_from or not self.active:
            return False
        confirmed = max(half_year(self.date_from)[1], self.confirmed_until or date.min)
        until = half_year(today)[1]
        if until <= confirmed:
            until = half_year(today + timedelta(days=HEADS_UP_DAYS))[1]
        following = self._get_following_date()
        if following:
            until = min(until, half_year(following)[0] - timedelta(days=1))
        return until if until > confirmed else False

    def action_confirm_half_year(self):
        """Record that the rates did not change up to the end of the half-year (or before the next rate).

        Shortly before a new half-year it is that one that is confirmed.
        """
        self.check_access('write')
        today = self.env.company._dunning_today()
        todo = self.grouped(lambda rate: rate._get_confirmable_until(today))
        nothing = todo.pop(False, self.browse())
        if not todo:
            raise UserError(self.env._(
                "There is nothing to confirm: the rate of this half-year is known. "
                "The next one can be confirmed from %(day)s on.",
                day=format_date(self.env, half_year(today)[1] + timedelta(days=1 - HEADS_UP_DAYS)),
            ) if all(nothing.mapped('active')) else self.env._("An archived rate cannot be confirmed."))
        for until, rates in todo.items():
            rates._track_set_log_message(self.env._(
                "Confirmed: unchanged until %(day)s.", day=format_date(self.env, until)))
            rates.write({'confirmed_until': until, 'confirmed_on': today, 'confirmed_by_id': self.env.uid})

    # --- watching ---

    @api.model
    def _get_kinds_to_confirm(self, today):
        """Return the kinds to look up now and the day since or from when they are needed."""
        kinds = self._freshness(today)
        if kinds:
            return kinds, today
        soon = today + timedelta(days=HEADS_UP_DAYS)
        return self._freshness(soon), half_year(soon)[0]

    @api.model
    def _warn_stale_rates(self, company, today):
        """Ask one manager to look up the rates that are missing, or will be soon; never every day again.

        :return: the new ``mail.activity``, or an empty one
        """
        kinds, needed_on = self._get_kinds_to_confirm(today)
        Activity = self.env['mail.activity']
        if not company._get_dunning_law() or not kinds or self._get_warnings(since=today - timedelta(days=REPEAT_DAYS)):
            return Activity
        rate = self.search([('kind', 'in', kinds)], order='date_from desc, id desc', limit=1)
        user = company._get_dunning_manager()
        if not rate or not user:
            return Activity
        rate = rate.with_context(lang=user.lang)
        if needed_on > today:
            summary = rate.env._("Look up the statutory interest of the next half-year")
            sentence = rate.env._(
                "A new half-year starts on %(day)s. Add the new rate, or confirm that it does not change. Without that "
                "reminders that ask the statutory interest wait from that day on.",
                day=format_date(rate.env, needed_on))
        else:
            summary = rate.env._("Look up the statutory interest: reminders that ask it wait")
            sentence = rate._get_stale_text(kinds, today)
        return rate.activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=needed_on, summary=summary, note=sentence, user_id=user.id)

    @api.model
    def _get_warnings(self, since=None, model='dunning.interest.rate'):
        """Return the open reminders to look up what a table of the law says, with those done after a day if given."""
        done_since = Domain('date_done', '>', since) if since else Domain.FALSE
        # sudo: only asks whether somebody was reminded, whoever that is
        return self.env['mail.activity'].sudo().with_context(active_test=False).search(
            Domain('res_model', '=', model) & Domain('automated', '=', True)
            & (Domain('active', '=', True) | done_since))

    @api.model
    def _close_warnings(self):
        """Tick off the reminders when nothing is left to look up."""
        today = self.env.company._dunning_today()
        if self.env.context.get('install_module') or self._get_kinds_to_confirm(today)[0]:
            return
        warnings = self._get_warnings()
        if warnings:
            warnings.action_feedback(feedback=self.env._("The statutory interest is up to date."))
