"""The law guard: letters about collection costs that would be void or false do not leave, whatever was configured.

Article 6:96 paragraphs 5 to 7 BW and the decree on collection costs (Besluit BIK).
"""

from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date
from odoo.tools.float_utils import float_is_zero

from ...tools.wording import ERROR, FOURTEEN_DAY, TYPED, check_text
from ..ladder.dunning_level import MANUAL_CHANNELS
from ..ladder.dunning_level_wording import DEBTOR_TEXTS
from ..notice.dunning_notice import MADE_STATES

# Findings about costs and figures: these stop any letter to a consumer, the others only a 14-day letter.
COST_CODES = TYPED | {
    'costs_too_early', 'costs_missing', 'costs_unspecified', 'costs_over_interest', 'vat_unfounded'}


class DunningDispatcherLaw(models.AbstractModel):
    """The part of the dispatcher that refuses what the law does not allow."""

    _name = 'dunning.dispatcher.law'
    _description = "Dunning Dispatcher"

    # -------------------------------------------------------------------------
    # BEFORE THE LETTER IS MADE
    # -------------------------------------------------------------------------

    @api.model
    def _refuse_unlawful(self, notices, at_date):
        """Fail notices about collection costs that the law does not allow; return the others.

        Claims that have to be in the same 14-day letter join it.
        """
        problems = {notice: [] for notice in notices}
        letters = notices.filtered(lambda notice: notice.level_id.legal_role == FOURTEEN_DAY)
        asking = (notices - letters).filtered(lambda notice: notice.level_id.with_costs or notice.amount_costs)
        # Their own levels may have been archived.
        levels = notices.policy_id.level_ids | notices.level_id
        foreign = levels._get_foreign_policies(self.env.company._get_dunning_law())
        for notice in notices:
            if notice.policy_id in foreign:
                problems[notice].append(self.env._(
                    "“%(level)s” is of a policy that follows Dutch law, and the fiscal country of %(company)s is not "
                    "the Netherlands. Cancel this notice; one of the right policy is planned by itself.",
                    level=notice.level_id.name, company=notice.company_id.name))
            if notice.level_id.legal_role and notice.channel in MANUAL_CHANNELS:
                problems[notice].append(self.env._(
                    "“%(level)s” has to be written to have effect. Choose e-mail, letter or both.",
                    level=notice.level_id.name))
        letters = letters.filtered(lambda notice: not problems[notice])
        for company, batch in letters.grouped('company_id').items():
            self.with_company(company)._check_fourteen_day(batch.with_company(company), at_date, problems)
        for notice in asking:
            if self._is_consumer(notice):
                problems[notice] += self._check_owed(notice, at_date)
        for notice in notices:
            kind = notice.policy_id.debtor_type
            if not problems[notice] and kind != 'any' and (kind == 'consumer') != self._is_consumer(notice):
                problems[notice].append(self.env._(
                    "“%(level)s” is of a policy that is not meant for this kind of debtor: %(debtor)s is treated as "
                    "another (%(reason)s). Cancel this notice; the right one is planned by itself.",
                    level=notice.level_id.name, debtor=notice.partner_id.display_name,
                    reason=notice.partner_id.dunning_effective_type_reason))
        refused = notices.browse()
        for notice, sentences in problems.items():
            if sentences:
                refused |= notice
                notice._mark_failed("\n".join(sentences))
                notice._recording().filtered('postal_state').write({'postal_state': False})
        lawful = notices - refused
        return lawful - self._pass_over_without_costs(letters - refused, at_date) if letters - refused else lawful

    @api.model
    def _recheck_pile(self, letters, at_date):
        """Judge letters about interest or costs that were made but not posted; return those that must not leave at all.

        When an amount is another one now, or too little of the term would be left, the letter goes back into the queue
        to be made again.
        """
        letters = letters.filtered(lambda notice: (
            notice.legal_role == FOURTEEN_DAY or notice.amount_costs or notice.amount_interest))
        if not letters:
            return letters
        lawful = self._refuse_unlawful(letters, at_date)
        claims = self.env['dunning.claim']._compute_for_notices(lawful, at_date)
        for notice in lawful._recording():
            claim, currency = claims[notice.id], notice.currency_id
            # Interest runs on; the letter is of its own day. Only when less is owed or asked it comes to less. Costs do
            # not run.
            costly = notice.legal_role == FOURTEEN_DAY or notice.amount_costs
            if (
                (costly and notice._gives_less_by(at_date))
                or currency.compare_amounts(notice.amount_interest, float(claim.interest)) > 0
                or currency.compare_amounts(notice.amount_announced, float(claim.announced))
                or currency.compare_amounts(notice.amount_costs, float(claim.costs))
                or len(claim.items) != len(notice.live_line_ids)
            ):
                notice._make_again()
        return letters - lawful

    @api.model
    def _pass_over_without_costs(self, letters, at_date):
        """Pass over the 14-day letters that have no costs to announce, and return them.

        The costs are waived, other small instalments bore them, or the debt is not in euros. Without costs such a
        letter says nothing; the ladder goes on to the last demand, which asks none for these items.
        """
        empty = letters.filtered(lambda notice: float_is_zero(notice.amount_announced, precision_digits=2))
        empty._recording().live_line_ids._freeze_snapshot()
        for notice in empty._recording():
            waived = notice.partner_id.with_company(notice.company_id).dunning_waive_costs
            notice.write({
                'postal_state': False, 'legal_role': FOURTEEN_DAY,
                'cancel_reason': self.env._(
                    "Passed over: there are no collection costs to announce (%s).",
                    self.env._("they are waived") if waived
                    else self.env._("a consumer abroad is asked no Dutch costs")
                    if notice.company_id._is_dunning_abroad(notice.partner_id) else self.env._(
                        "they were waived or asked before, or the debt is not in euros"))})
        empty._skip(at_date)
        return empty

    @api.model
    def _is_consumer(self, notice):
        debtor = notice.partner_id.with_company(notice.company_id)
        return debtor.dunning_effective_type == 'consumer'

    @api.model
    def _check_fourteen_day(self, letters, at_date, problems):
        """Add to ``problems`` why 14-day letters of the current company may not leave, and complete them."""
        for notice in letters:
            if not self._is_consumer(notice):
                debtor = notice.partner_id
                problems[notice].append(self.env._(
                    "A 14-day letter is for consumers, and %(debtor)s is not one (%(reason)s). Cancel this notice; the "
                    "next level is planned by itself.",
                    debtor=debtor.display_name, reason=debtor.dunning_effective_type_reason))
        letters = letters.filtered(lambda notice: not problems[notice])
        self._check_default(letters, at_date, problems)
        letters = letters.filtered(lambda notice: not problems[notice])
        self._join_companions(letters, at_date, problems)

    @api.model
    def _check_default(self, letters, at_date, problems):
        """Article 6:96 paragraph 6 BW: only after default, and costs are announced once."""
        items = letters.live_line_ids.move_line_id
        effects = self.env['dunning.claim']._get_effects(items, at_date)
        for notice in letters:
            mine = notice.live_line_ids.move_line_id
            early = mine.filtered(lambda item: not effects[item.id].in_default)
            if early:
                problems[notice].append(self.env._(
                    "A 14-day letter before default has no effect, and the debtor is not in default for %(invoices)s: "
                    "the payment term was not agreed with him and no notice of default has run out. Send that first, "
                    "or state on the contact that the term was agreed.",
                    invoices=self._name_invoices(early.move_id)))
            announced = mine.filtered(lambda item: effects[item.id].awaited or effects[item.id].costs_from)
            if announced:
                problems[notice].append(self.env._(
                    "%(invoices)s was in a 14-day letter before. A second one would only confuse and could cost you "
                    "the costs. Cancel this notice and pass this level over.",
                    invoices=self._name_invoices(announced.move_id)))

    @api.model
    def _join_companions(self, letters, at_date, problems):
        """Article 6:96 paragraph 7 BW: claims that can be claimed together are claimed in one letter."""
        Planner = self.env['dunning.planner']
        for forced, batch in letters.grouped('forced').items():
            ignore = Planner._get_reason_codes(keeps_apart=False)
            if forced:
                ignore |= Planner._get_reason_codes(overridable=True)
            mine = {item.id for item in batch.live_line_ids.move_line_id}
            others = [
                decision for decision in Planner._plan(
                    self.env.company, at_date, partners=batch.partner_id, ignore=ignore)
                if decision.item_id not in mine]
            missing, apart = self._sort_companions(batch.level_id, others, at_date)
            for notice in batch._recording():
                notice.apart_data = apart.get(notice.partner_id.id, {})
            joining = [decision.item_id for group in missing.values() for decision in group]
            waiting = {
                line.move_line_id.id: line.notice_id
                for line in self.env['dunning.notice.line'].search([
                    ('status', '=', 'pending'), ('move_line_id', 'in', joining)])}
            for notice in batch:
                decisions = [
                    decision._replace(level_id=notice.level_id.id)
                    for decision in missing.get((notice.partner_id.id, notice.currency_id.id), ())]
                free = [decision for decision in decisions if decision.item_id not in waiting]
                held = self.env['dunning.notice'].union(
                    *(waiting[decision.item_id] for decision in decisions if decision.item_id in waiting))
                if held:
                    problems[notice].append(self.env._(
                        "All claims on a consumer that can be claimed together must be in one 14-day letter, and some "
                        "wait in another notice: %s. Cancel that one, then try again: its items will join this letter.",
                        ", ".join(held.mapped('display_name'))))
                elif free:
                    self._add_items(notice, free, at_date)

    @api.model
    def _sort_companions(self, levels, decisions, at_date):
        """Return what has to join 14-day letters, and why other items stay apart, whatever their ladders are.

        :param levels: of the letters; what had one of them already does not join
        :param decisions: about the other items of their debtors
        :return: ``{(debtor, currency): [decision]}`` and ``{debtor: {item id: reason}}``
        """
        items = self.env['account.move.line'].browse([decision.item_id for decision in decisions])
        effects = self.env['dunning.claim']._get_effects(items, at_date)
        Line = self.env['dunning.notice.line']
        done = set(Line.search(
            Domain('move_line_id', 'in', items.ids) & Domain('level_id', 'in', levels.ids)
            & Domain('status', '=', 'sent') & Line._get_standing_domain()).move_line_id.ids)
        missing, apart = {}, {}
        for decision in decisions:
            effect, reason = effects[decision.item_id], decision.reason
            if reason == 'waiting_deadline' and decision.last_deadline < at_date:
                reason = None  # its ladder waits some days more; the term that he was given is over
            if not effect.in_default or effect.costs_from or effect.awaited or decision.item_id in done:
                reason = reason or 'not_in_default'
            if reason:
                apart.setdefault(decision.partner_id, {})[decision.item_id] = reason
            else:
                missing.setdefault((decision.partner_id, decision.currency_id), []).append(decision)
        return missing, apart

    @api.model
    def _add_items(self, notice, decisions, at_date):
        """Put free items into a 14-day letter that did not leave yet."""
        recording = notice._recording()
        notice._follow_outdated(notice.company_id, at_date, decisions)
        # What was passed over for want of costs has its letter now; an item has each level once.
        passed_over = recording.env['dunning.notice.line'].search([
            ('move_line_id', 'in', [decision.item_id for decision in decisions]),
            ('level_id', '=', notice.level_id.id), ('status', '=', 'skipped')])
        passed_over.write({
            'void_on': at_date, 'void_reason': self.env._("It joined a later 14-day letter, %s.", notice.name)})
        passed_over.flush_recordset(['status'])
        notice._add_lines({notice: decisions})
        notice._settle_company()
        if notice.state in MADE_STATES:  # it was made without them
            notice._make_again()
        notice._update_claim(at_date)
        recording._message_log(body=self.env._(
            "Added, because one 14-day letter must contain all claims that can be claimed together: %s.",
            self._name_invoices(self.env['account.move'].browse([decision.move_id for decision in decisions]))))

    @api.model
    def _check_owed(self, notice, at_date):
        """Return why a consumer does not owe the collection costs that a notice is about."""
        items = notice.live_line_ids.move_line_id
        effects = self.env['dunning.claim']._get_effects(items, at_date)
        Line = self.env['dunning.notice.line']
        passed = set(Line.search(
            Domain('move_line_id', 'in', items.ids) & Domain('status', '=', 'skipped')
            & Domain('notice_id.legal_role', '=', FOURTEEN_DAY) & Line._get_standing_domain()).move_line_id.ids)
        # Nothing was announced about these, and nothing is asked.
        asked = notice.live_line_ids.filtered('amount_costs').move_line_id
        items = items.filtered(lambda item: item in asked or item.id not in passed)
        sentences = []
        untold = items.filtered(lambda item: not (effects[item.id].costs_from or effects[item.id].awaited))
        if untold:
            sentences.append(self.env._(
                "“%(level)s” asks collection costs, but no 14-day letter that holds about %(invoices)s reached the "
                "debtor. A consumer owes no costs before such a letter has run out. Cancel this notice; the 14-day "
                "letter is planned again.",
                level=notice.level_id.name, invoices=self._name_invoices(untold.move_id)))
        for item in items - untold:
            first = effects[item.id].costs_from
            if not first or first > at_date:
                sentences.append(self.env._(
                    "“%(level)s” asks collection costs, but the fourteen days of the 14-day letter about %(invoice)s "
                    "have not run out: %(when)s.",
                    level=notice.level_id.name, invoice=item.move_id.display_name,
                    when=self.env._("the costs are owed from %s", format_date(self.env, first)) if first
                    else self.env._("it is not known when it was received")))
        return list(dict.fromkeys(sentences))

    @api.model
    def _name_invoices(self, moves):
        names = moves.mapped('display_name')
        return ", ".join(names[:3]) + ("…" if len(names) > 3 else "")

    # -------------------------------------------------------------------------
    # THE LETTER AS THE DEBTOR WILL READ IT
    # -------------------------------------------------------------------------

    @api.model
    def _refuse_unlawful_letters(self, notices):
        """Read what people wrote of letters to consumers and fail those that are not lawful; return the others.

        All other words and amounts of a letter are worked out.
        """
        refused = notices.browse()
        for notice in notices.filtered(self._is_consumer):
            text = Markup('<p>%s</p>%s%s') % (notice.subject or '', notice.body_intro, notice.body_closing)
            errors = self._check_words(notice, text, notice.level_id, DEBTOR_TEXTS)
            if errors:
                refused |= notice
                notice._mark_failed(self._explain_words(errors))
        return notices - refused

    @api.model
    def _refuse_unlawful_mails(self, template, notices, values_list):
        """Raise when the words of an e-mail to a consumer are not lawful.

        :param values_list: the values of the mails of these notices, made from the template
        """
        consumers = notices.filtered(self._is_consumer)
        for values in values_list:
            notice = notices.browse(values['res_id'])
            if notice not in consumers:
                continue
            text = Markup('<p>%s</p>%s') % (values['subject'] or '', values['body'])
            errors = [
                finding for finding in self._check_words(notice, text, template, ('subject', 'body_html'))
                # The letter is attached, and it says everything.
                if not finding.code.endswith('_missing')]
            if errors:
                raise UserError(self._explain_words(errors))

    @api.model
    def _check_words(self, notice, text, record, names):
        """Return what is not lawful of a text to a consumer, as it is about to leave.

        :param text: what the debtor would read
        :param record: the level or template it was made from, which may have been written before it was judged
        :param names: the fields of the record that the text was made from
        """
        Level, role = self.env['dunning.level'], notice.level_id.legal_role
        sources = [self.env['dunning.letter']._get_text(record, name, notice.lang) for name in names]
        findings = check_text(
            text, role=role, debtor='consumer', language=notice.lang, vat_sentence=bool(notice.vat_sentence),
            with_costs=role != FOURTEEN_DAY and notice.currency_id.compare_amounts(notice.amount_costs, 0) > 0,
            known=Level._get_known(notice.with_context(lang=notice.lang), *sources))
        return Level._find_written(record, notice.lang) + [
            finding for finding in findings
            if finding.severity == ERROR and (role == FOURTEEN_DAY or finding.code in COST_CODES)]

    @api.model
    def _explain_words(self, findings):
        sentences = list(dict.fromkeys(self.env['dunning.level']._explain_findings(findings)))
        return self.env._("What the debtor would read is not lawful:\n%s", "\n".join(f"• {line}" for line in sentences))
