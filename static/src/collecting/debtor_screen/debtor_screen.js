import {
    Component,
    markup,
    onMounted,
    onWillStart,
    onWillUnmount,
    useEffect,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";

import { browser } from "@web/core/browser/browser";
import { formatCurrency } from "@web/core/currency";
import { deserializeDateTime, serializeDate, serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { parseMonetary } from "@web/views/fields/parsers";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { CallSession } from "./call_session";
import { readDay, readTime } from "./day_words";

const { DateTime } = luxon;

const ITEMS_SHOWN = 12;
const EVENTS_SHOWN = 15;
const UNDO_DELAY = 58000;
const EDITABLE =
    "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
const ICONS = {
    call: "fa-phone",
    notice: "fa-bell-o",
    promise: "fa-handshake-o",
    arrangement: "fa-calendar-check-o",
    hold: "fa-hand-paper-o",
    mail: "fa-envelope-o",
    mail_in: "fa-reply",
    payment: "fa-eur",
};
// Kinds of outcomes that make no sense without a day, and those about a day that has been.
const NEEDS_DAY = ["promise", "call_back"];
const ABOUT_PAST = ["paid_already"];
const STATE_ICONS = { ok: "fa-check", warn: "fa-exclamation", stop: "fa-hand-paper-o" };

function newExternalId() {
    const random = crypto.getRandomValues(new Uint32Array(4));
    return `screen-${[...random].map((part) => part.toString(16).padStart(8, "0")).join("")}`;
}

/**
 * One debtor, with all that a collector needs while he calls, and the keys to say how it went.
 *
 * Opened with the ids of a list (`params.ids`), it goes from debtor to debtor. What there is to see comes from
 * `dunning.debtor.get_screen`; a call is logged with `dunning.call.log_call` and in no other way.
 */
export class DebtorScreen extends Component {
    static template = "l10n_nl_dunning.DebtorScreen";
    static components = { Layout };
    static props = { ...standardActionServiceProps };
    static path = "debtor-screen";
    static displayName = _t("Debtor");

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.rootRef = useRef("root");
        this.dateRef = useRef("date");
        this.firstFieldRef = useRef("form");
        this.state = useState({
            data: null,
            loading: true,
            failure: "",
            checked: {},
            cursor: -1,
            contactId: false,
            picking: false,
            pick: 0,
            draft: null,
            saving: false,
            help: false,
            allItems: false,
            allEvents: false,
            last: null,
            finished: false,
            dialled: 0,
            now: 0,
        });
        const params = this.props.action.params || {};
        this.session = new CallSession(serializeDate(DateTime.local()));
        // Coming back from an invoice, or after reloading the page: the debtor it was about then.
        const debtorId =
            this.props.state?.debtorId ||
            this.props.resId ||
            params.debtor_id ||
            this.session.ids[0];
        this.state.last = this.props.state?.last || null;
        useSetupAction({
            getLocalState: () => ({
                debtorId: this.debtorId,
                last: this.state.last && { ...this.state.last },
            }),
        });
        this.session.use(params.ids, debtorId);
        this.debtorId = debtorId;

        onWillStart(() => this.load(debtorId));
        onMounted(() => {
            this.props.updateActionState?.({ resId: this.debtorId });
            this.clock = browser.setInterval(() => (this.state.now = Date.now()), 1000);
        });
        onWillUnmount(() => browser.clearInterval(this.clock));
        useExternalListener(document, "keydown", this.onKeydown.bind(this));
        useEffect(
            () => this.focusForm(),
            () => [this.state.draft?.outcomeId, this.state.data?.debtor_id]
        );
    }

    // ------------------------------------------------------------------
    // LOADING
    // ------------------------------------------------------------------

    async load(debtorId) {
        const request = (this.request = {});
        this.state.loading = true;
        let data;
        try {
            if (!debtorId) {
                throw new Error(_t("Choose a debtor in the list first."));
            }
            data = await this.orm.silent.call("dunning.debtor", "get_screen", [debtorId]);
        } catch (error) {
            if (request === this.request) {
                Object.assign(this.state, {
                    data: null,
                    loading: false,
                    failure: this.tell(error),
                });
            }
            return;
        }
        if (request !== this.request) {
            return; // somebody pressed the key for the next debtor twice
        }
        this.debtorId = debtorId;
        Object.assign(this.state, {
            data: data.gone ? null : data,
            failure: data.gone || "",
            loading: false,
            finished: false,
            checked: Object.fromEntries(
                (data.items || []).filter((item) => item.checked).map((item) => [item.id, true])
            ),
            cursor: -1,
            contactId: data.contact_id,
            picking: false,
            help: false,
            allItems: false,
            allEvents: false,
            dialled: 0,
            draft: null,
        });
        if (data.gone) {
            this.session.markDone(debtorId, "gone");
            return;
        }
        // What was typed about this debtor and not logged.
        const kept = this.session.drafts[debtorId];
        if (kept?.open && this.outcome(kept.outcomeId)) {
            this.state.draft = kept;
            this.state.checked = kept.checked;
        }
        this.env.config.setDisplayName?.(data.debtor.name);
        this.props.updateActionState?.({ resId: debtorId });
        for (const el of this.rootRef.el?.querySelectorAll(".o_dunning_scroll, .o_content") || []) {
            el.scrollTop = 0;
        }
        if (this.rootRef.el) {
            this.rootRef.el.scrollTop = 0;
        }
    }

    /** Say what went wrong as a sentence. */
    tell(error) {
        if (error instanceof ConnectionLostError) {
            return _t(
                "There is no connection to the server, so nothing was recorded. Try again; what you typed is kept."
            );
        }
        if (error instanceof RPCError) {
            return error.data?.message || error.message;
        }
        return error.message || String(error);
    }

    // ------------------------------------------------------------------
    // WHAT IS SHOWN
    // ------------------------------------------------------------------

    get data() {
        return this.state.data;
    }

    /** The day that it is for the company. */
    get today() {
        return DateTime.fromISO(this.data.today);
    }

    get count() {
        return this.session.ids.length;
    }

    get position() {
        return this.session.position(this.debtorId);
    }

    get doneCount() {
        return this.session.doneCount;
    }

    get positionText() {
        return _t("%(position)s of %(count)s", { position: this.position, count: this.count });
    }

    get doneText() {
        return _t("%s done", this.doneCount);
    }

    get checkedText() {
        return _t("%(checked)s of %(count)s checked", {
            checked: this.checkedItems.length,
            count: this.data.items.length,
        });
    }

    moreText(count) {
        return _t("Show %s more", count);
    }

    get triesText() {
        const { tries } = this.data;
        return tries ? _t("“%(level)s”: try %(number)s of %(most)s", tries) : "";
    }

    get arrangementText() {
        const { arrangement } = this.data;
        if (!arrangement) {
            return "";
        }
        return arrangement.story || arrangement.name;
    }

    get oldestText() {
        const { days } = this.data.amounts;
        return days === 1 ? _t("1 day") : _t("%s days", days);
    }

    get nextStep() {
        const { next_step: step } = this.data.debtor;
        return step ? _t("Next: %s", step) : "";
    }

    get priorityWhy() {
        return this.data.debtor.priority_text.split("\n").join(" · ");
    }

    /** Whether what can be collected differs anywhere from what is open: a column less to read where not. */
    get showLeft() {
        return this.data.items.some((item) => item.left !== item.amount);
    }

    get donePercent() {
        return this.count ? Math.round((100 * this.doneCount) / this.count) : 0;
    }

    get isDone() {
        return Boolean(this.session.done[this.debtorId]);
    }

    money(amount) {
        return formatCurrency(amount, this.data.currency_id);
    }

    get items() {
        return this.state.allItems ? this.data.items : this.data.items.slice(0, ITEMS_SHOWN);
    }

    get hiddenItems() {
        return this.data.items.length - this.items.length;
    }

    get checkedItems() {
        return this.data.items.filter((item) => this.state.checked[item.id]);
    }

    get checkedAmount() {
        return this.checkedItems.reduce((sum, item) => sum + item.left, 0);
    }

    get events() {
        return this.state.allEvents
            ? this.data.timeline
            : this.data.timeline.slice(0, EVENTS_SHOWN);
    }

    get hiddenEvents() {
        return this.data.timeline.length - this.events.length;
    }

    get contact() {
        return (
            this.data.contacts.find((contact) => contact.id === this.state.contactId) ||
            this.data.contacts[0]
        );
    }

    get script() {
        return markup(this.data.script.html);
    }

    get buckets() {
        const total = this.data.amounts.overdue || 1;
        return this.data.amounts.buckets.map((bucket, index) => ({
            ...bucket,
            index,
            label: bucket.to
                ? _t("%(from)s–%(to)s days", bucket)
                : _t("over %s days", bucket.from - 1),
            percent: (100 * bucket.amount) / total,
        }));
    }

    get chosen() {
        return this.state.draft && this.outcome(this.state.draft.outcomeId);
    }

    outcome(id) {
        return this.data.outcomes.find((outcome) => outcome.id === id);
    }

    asks(what) {
        return this.chosen?.asks.includes(what);
    }

    icon(event) {
        return ICONS[event.kind];
    }

    stateIcon(check) {
        return STATE_ICONS[check.state];
    }

    day(iso) {
        return iso ? DateTime.fromISO(iso) : null;
    }

    /** “12 Nov”, with the year when it is another one. */
    shortDay(iso) {
        const day = this.day(iso);
        return day ? day.toFormat(day.year === this.today.year ? "d MMM" : "d MMM yyyy") : "";
    }

    eventDay(event) {
        const day = this.day(event.day);
        const ago = Math.round(this.today.diff(day, "days").days);
        const when =
            ago === 0 ? _t("Today") : ago === 1 ? _t("Yesterday") : this.shortDay(event.day);
        if (!event.at || ago > 6) {
            return when;
        }
        return `${when} ${deserializeDateTime(event.at).toFormat("HH:mm")}`;
    }

    daysLate(item) {
        if (item.days > 0) {
            return item.days === 1 ? _t("1 day") : _t("%s days", item.days);
        }
        return item.days === 0 ? _t("today") : _t("not yet");
    }

    get callTimer() {
        if (!this.state.dialled) {
            return "";
        }
        const seconds = Math.max(0, Math.floor((this.state.now - this.state.dialled) / 1000));
        return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }

    get tallies() {
        return Object.entries(this.session.tally).filter(([name]) => name !== "gone");
    }

    // ------------------------------------------------------------------
    // WHAT IS TYPED
    // ------------------------------------------------------------------

    get datePlaceholder() {
        return this.aboutPast ? _t("-2, 27, friday…") : _t("+7, 27, friday…");
    }

    get aboutPast() {
        return ABOUT_PAST.includes(this.chosen.kind);
    }

    get readDate() {
        return readDay(this.state.draft.date, this.today, this.aboutPast);
    }

    /** What was understood of the date: a sentence, and whether it will do. */
    get dateSaid() {
        const draft = this.state.draft;
        if (!draft.date.trim()) {
            return null;
        }
        const day = this.readDate;
        if (!day) {
            return { ok: false, text: _t("That is not a day.") };
        }
        const ahead = Math.round(day.diff(this.today, "days").days);
        const name = day.toFormat("cccc d MMMM yyyy");
        if (ahead < 0 && !this.aboutPast) {
            return { ok: false, text: _t("%s has passed already", name) };
        }
        if (ahead > 0 && this.aboutPast) {
            return { ok: false, text: _t("%s is still to come", name) };
        }
        if (ahead < 0) {
            return {
                ok: true,
                text:
                    ahead === -1
                        ? _t("%s, yesterday", name)
                        : _t("%(name)s, %(count)s days ago", { name, count: -ahead }),
            };
        }
        const when =
            ahead === 0 ? _t("today") : ahead === 1 ? _t("tomorrow") : _t("in %s days", ahead);
        return { ok: true, text: `${name}, ${when}` };
    }

    get dayChoices() {
        if (this.aboutPast) {
            return ["+0", "-1", "-2", "-7"].map((text) => {
                const day = readDay(text, this.today);
                const label = { "+0": _t("Today"), "-1": _t("Yesterday") }[text] || text;
                return { text, label, day, title: day.toFormat("ccc d MMM") };
            });
        }
        const friday = readDay("friday", this.today);
        return ["+3", "+7", "+14"]
            .map((text) => ({ text, label: text, day: readDay(text, this.today) }))
            .concat([
                {
                    text: friday.toFormat("ccc").toLowerCase(),
                    label: friday.toFormat("cccc"),
                    day: friday,
                },
                {
                    text: String(this.today.endOf("month").day),
                    label: _t("End of month"),
                    day: this.today.endOf("month").startOf("day"),
                },
            ])
            .map((choice) => ({ ...choice, title: choice.day.toFormat("ccc d MMM") }));
    }

    chooseDay(choice) {
        this.state.draft.date = choice.text;
        this.keep();
        this.dateRef.el?.focus();
    }

    get amountShown() {
        const { amount } = this.state.draft;
        return amount === null ? this.formatInput(this.checkedAmount) : amount;
    }

    formatInput(amount) {
        return formatCurrency(amount, this.data.currency_id, { noSymbol: true });
    }

    onAmountInput(ev) {
        this.state.draft.amount = ev.target.value;
        this.keep();
    }

    onFieldInput(name, ev) {
        this.state.draft[name] = ev.target.value;
        this.keep();
    }

    onContactChange(ev) {
        this.state.contactId = Number(ev.target.value);
        this.keep();
    }

    onNoteInput(ev) {
        const el = ev.target;
        el.style.height = "auto";
        el.style.height = `${el.scrollHeight + 2}px`;
        this.onFieldInput("note", ev);
    }

    chooseCategory(value) {
        this.state.draft.category = value;
        this.keep();
    }

    keep() {
        const draft = this.state.draft;
        if (draft) {
            draft.error = "";
            draft.checked = { ...this.state.checked };
            this.session.keepDraft(this.debtorId, JSON.parse(JSON.stringify(draft)));
        }
    }

    openOutcome(outcome) {
        if (!this.data?.may_log || this.state.saving) {
            return;
        }
        const kept = this.state.draft || this.session.drafts[this.debtorId];
        this.state.picking = false;
        this.state.draft = {
            date: "",
            time: "",
            amount: null,
            category: "",
            contactName: "",
            note: "",
            ...kept,
            // The same for each try of one call: a lost answer does not log it twice.
            externalId: (kept?.outcomeId === outcome.id && kept.externalId) || newExternalId(),
            open: true,
            outcomeId: outcome.id,
            error: "",
        };
        if (outcome.kind === "call_back" && !this.state.draft.date.trim()) {
            this.state.draft.date = this.nextWorkday();
        }
        this.keep();
    }

    nextWorkday() {
        const day = this.today.plus({
            days: this.today.weekday === 5 ? 3 : this.today.weekday === 6 ? 2 : 1,
        });
        return `+${Math.round(day.diff(this.today, "days").days)}`;
    }

    cancelOutcome() {
        const draft = this.state.draft;
        if (draft) {
            // Kept, but closed: the next outcome starts with what was typed.
            this.session.keepDraft(this.debtorId, {
                ...JSON.parse(JSON.stringify(draft)),
                open: false,
            });
        }
        this.state.draft = null;
        this.closedAt = Date.now();
        this.rootRef.el?.focus({ preventScroll: true });
    }

    focusForm() {
        if (!this.state.draft) {
            this.rootRef.el?.focus({ preventScroll: true });
            return;
        }
        const form = this.firstFieldRef.el;
        const field = form?.querySelector("[data-field]");
        field?.focus();
        field?.select?.();
        form?.scrollIntoView({ block: "nearest" });
    }

    /** What is sent to the server; throws a sentence when something is missing. */
    prepareValues() {
        const { draft } = this.state;
        const data = this.data;
        const outcome = this.chosen;
        const items = this.checkedItems;
        const values = {
            company_id: data.company_id,
            partner_id: data.debtor.id,
            contact_id: this.contact?.id || false,
            number: this.contact?.number || false,
            direction: "out",
            outcome: outcome.id,
            note: draft.note.trim(),
            external_id: draft.externalId,
            origin: "screen",
        };
        if (items.length) {
            values.item_ids = items.map((item) => item.id);
        }
        if (this.state.dialled) {
            const started = DateTime.fromMillis(this.state.dialled);
            values.date_start = serializeDateTime(started);
            values.duration = Math.max(0, Math.round((Date.now() - this.state.dialled) / 1000));
        }
        if (this.asks("items") && !items.length) {
            throw new Error(
                _t("Check the invoices it is about: move with ↑ and ↓, check with the space bar.")
            );
        }
        if (this.asks("date")) {
            const day = this.readDate;
            if (!day && (draft.date.trim() || NEEDS_DAY.includes(outcome.kind))) {
                throw new Error(
                    draft.date.trim()
                        ? _t(
                              "“%s” is not a day. Type +7, a day of the month, a weekday or a date.",
                              draft.date.trim()
                          )
                        : _t("On which day? Type +7, a day of the month, a weekday or a date.")
                );
            }
            if (day) {
                values.date = serializeDate(day);
            }
        }
        if (this.asks("time") && draft.time.trim()) {
            const time = readTime(draft.time);
            if (!time) {
                throw new Error(_t("“%s” is not a time. Type it as 14:30.", draft.time.trim()));
            }
            values.time = time;
        }
        if (this.asks("amount")) {
            Object.assign(values, this.prepareAmount(outcome));
        }
        if (this.asks("category")) {
            if (!draft.category) {
                throw new Error(_t("What is disputed? Choose one with its number."));
            }
            values.category = draft.category;
        }
        if (this.asks("contact") && draft.contactName.trim()) {
            values.contact_name = draft.contactName.trim();
        }
        return values;
    }

    prepareAmount(outcome) {
        const { draft } = this.state;
        if (draft.amount === null) {
            return outcome.kind === "disputed" ? {} : { amount: this.checkedAmount };
        }
        let amount;
        try {
            amount = parseMonetary(draft.amount);
        } catch {
            amount = NaN;
        }
        if (!(amount > 0)) {
            throw new Error(_t("“%s” is not an amount.", draft.amount));
        }
        return outcome.kind === "disputed" ? { part_amount: amount } : { amount };
    }

    async log() {
        const { draft } = this.state;
        if (!draft || this.state.saving) {
            return;
        }
        const outcome = this.chosen;
        const name = this.data.debtor.name;
        const debtorId = this.debtorId;
        let result;
        this.state.saving = true;
        try {
            result = await this.orm.silent.call("dunning.call", "log_call", [this.prepareValues()]);
        } catch (error) {
            draft.error = this.tell(error);
            return;
        } finally {
            this.state.saving = false;
        }
        this.session.markDone(debtorId, outcome.name);
        const at = Date.now();
        this.state.last = { debtorId, name, outcome: outcome.name, at, ...result };
        this.state.draft = null;
        if (result.action) {
            await this.openWindow(result.action, debtorId);
            return;
        }
        await this.goNextToDo();
    }

    // ------------------------------------------------------------------
    // FROM DEBTOR TO DEBTOR
    // ------------------------------------------------------------------

    async goNextToDo() {
        const next = this.session.nextToDo(this.debtorId);
        if (next) {
            await this.load(next);
        } else if (this.count > 1) {
            this.state.finished = true;
        } else {
            await this.load(this.debtorId);
        }
    }

    /** Make an arrangement about the checked items, without a call. */
    async arrange() {
        const { debtorId } = this;
        const ids = this.checkedItems.map((item) => item.id);
        let action;
        try {
            action = await this.orm.call("account.move.line", "action_dunning_arrangement", [
                ids.length ? ids : this.data.items.map((item) => item.id),
            ]);
        } catch (error) {
            this.notification.add(this.tell(error), { type: "danger" });
            return;
        }
        await this.openWindow(action, debtorId);
    }

    /**
     * Open a window of the screen, and show the debtor anew when it closes. Nothing is awaited there: a window stays
     * open until its `onClose` is done, and that never comes once the screen made way for another page.
     */
    openWindow(action, debtorId) {
        return this.action.doAction(action, {
            onClose: (info) => {
                if (!info?.noReload) {
                    this.load(debtorId);
                }
            },
        });
    }

    async go(step) {
        const next = this.session.beside(this.debtorId, step);
        if (next) {
            this.debtorId = next;
            await this.load(next);
        }
    }

    hasBeside(step) {
        return Boolean(this.session.beside(this.debtorId, step));
    }

    back() {
        const { breadcrumbs } = this.env.config;
        if (breadcrumbs?.length > 1) {
            return breadcrumbs.at(-2).onSelected();
        }
        return this.action.doAction("l10n_nl_dunning.dunning_debtor_action", {
            clearBreadcrumbs: true,
        });
    }

    reload() {
        return this.load(this.debtorId);
    }

    /** As long as the server lets the last call be undone, with time for the click. */
    get canUndo() {
        const { last, now } = this.state;
        return Boolean(last?.call_id) && (now || Date.now()) - last.at < UNDO_DELAY;
    }

    async undoLast() {
        const { call_id: callId, debtorId, outcome } = this.state.last;
        try {
            const said = await this.orm.call("dunning.call", "action_undo", [[callId]]);
            this.notification.add(said.params.message, { type: "success" });
        } catch (error) {
            this.notification.add(this.tell(error), { type: "danger" });
            return;
        }
        this.session.unmarkDone(debtorId, outcome);
        this.state.last = null;
        await this.load(debtorId);
    }

    async backToLast() {
        await this.load(this.state.last.debtorId);
    }

    // ------------------------------------------------------------------
    // OPENING OTHER SCREENS
    // ------------------------------------------------------------------

    async openNextStep() {
        this.keep();
        return this.action.doAction(
            await this.orm.call("dunning.debtor", "action_next_step", [this.debtorId])
        );
    }

    open(resModel, resId) {
        this.keep();
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: resModel,
            res_id: resId,
            views: [[false, "form"]],
            target: "current",
        });
    }

    openAll(resModel, ids) {
        if (ids.length === 1) {
            return this.open(resModel, ids[0]);
        }
        this.keep();
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: this.state.last.name,
            res_model: resModel,
            domain: [["id", "in", ids]],
            views: [
                [false, "list"],
                [false, "form"],
            ],
            target: "current",
        });
    }

    get lastLinks() {
        const {
            call_id: call,
            promise_id: promise,
            hold_ids: holds,
            notice_ids: notices,
        } = this.state.last;
        return [
            { label: _t("Call"), model: "dunning.call", ids: call ? [call] : [] },
            { label: _t("Promise"), model: "dunning.promise", ids: promise ? [promise] : [] },
            // The holds of a promise are shown with it.
            { label: _t("Hold"), model: "dunning.hold", ids: (!promise && holds) || [] },
            { label: _t("Notice"), model: "dunning.notice", ids: notices || [] },
        ].filter((link) => link.ids.length);
    }

    // ------------------------------------------------------------------
    // ITEMS AND CONTACTS
    // ------------------------------------------------------------------

    toggleItem(item) {
        if (this.state.checked[item.id]) {
            delete this.state.checked[item.id];
        } else {
            this.state.checked[item.id] = true;
        }
        this.keep();
    }

    get allChecked() {
        return this.data.items.every((item) => this.state.checked[item.id]);
    }

    toggleAll() {
        this.state.checked = this.allChecked
            ? {}
            : Object.fromEntries(this.data.items.map((item) => [item.id, true]));
        this.keep();
    }

    moveCursor(step) {
        const count = this.data.items.length;
        this.state.cursor = Math.max(0, Math.min(count - 1, this.state.cursor + step));
        if (this.state.cursor >= ITEMS_SHOWN) {
            this.state.allItems = true;
        }
        const row = this.rootRef.el.querySelectorAll(".o_dunning_item")[this.state.cursor];
        row?.scrollIntoView({ block: "nearest" });
    }

    togglePicking() {
        this.state.picking = !this.state.picking;
        this.state.pick = Math.max(0, this.data.contacts.indexOf(this.contact));
    }

    pickContact(contact) {
        this.state.contactId = contact.id;
        this.state.picking = false;
    }

    onDial() {
        this.state.dialled = this.state.now = Date.now();
    }

    dial() {
        if (this.contact?.number) {
            this.rootRef.el.querySelector(".o_dunning_dial")?.click();
        }
    }

    // ------------------------------------------------------------------
    // KEYS
    // ------------------------------------------------------------------

    get keys() {
        return [
            { keys: ["↑", "↓"], text: _t("move through the invoices") },
            { keys: [_t("Space")], text: _t("check or uncheck the invoice") },
            { keys: ["*"], text: _t("check all, or none") },
            { keys: ["#"], text: _t("call the number") },
            { keys: ["@"], text: _t("choose another contact") },
            { keys: [">", "<"], text: _t("next or previous debtor") },
            { keys: ["Enter"], text: _t("log the call and go on to the next debtor") },
            { keys: ["Esc"], text: _t("close what is open; else back to the list") },
            { keys: ["?"], text: _t("these keys") },
        ];
    }

    onKeydown(ev) {
        const withModifier = ev.ctrlKey || ev.metaKey || ev.altKey;
        // On some keyboards “@” and “#” are typed with AltGr, which is Ctrl and Alt to the browser.
        if (
            ev.defaultPrevented ||
            ev.isComposing ||
            (withModifier && !ev.getModifierState?.("AltGraph"))
        ) {
            return;
        }
        if (this.ui.activeElement !== document || this.ui.isBlocked) {
            return; // a dialog is open
        }
        const editing = ev.target instanceof HTMLElement && ev.target.matches(EDITABLE);
        const inside = this.rootRef.el?.contains(ev.target);
        if (editing && !inside) {
            return;
        }
        if (this.handleKey(ev, editing)) {
            ev.preventDefault();
            ev.stopPropagation();
        }
    }

    /** Whether the key belongs to what was reached with Tab; then it does there what it does anywhere. */
    isForFocused(ev) {
        const { key, target } = ev;
        if (key === "Enter" || key === " ") {
            return target.matches?.("a, button:not([role=radio]), input[type=checkbox]");
        }
        return target.matches?.(".o_dunning_scroll") && ["ArrowDown", "ArrowUp"].includes(key);
    }

    handleKey(ev, editing) {
        const { key } = ev;
        if (!this.state.help && !this.state.picking && this.isForFocused(ev)) {
            if (key === "Enter" && ev.target.matches("input")) {
                ev.target.click(); // the browser presses a box with the space bar only
                return true;
            }
            return false;
        }
        if (this.state.help) {
            if (["Escape", "?", "Enter"].includes(key)) {
                this.state.help = false;
                return true;
            }
            return false;
        }
        if (!this.data || this.state.finished || this.state.loading) {
            return this.handleEmptyKey(key);
        }
        if (this.state.picking) {
            return this.handlePickKey(key);
        }
        if (this.state.draft) {
            return this.handleFormKey(ev, editing);
        }
        return this.handleScreenKey(ev);
    }

    handleEmptyKey(key) {
        if (key === "Escape") {
            this.back();
        } else if (key === ">" || key === "PageDown" || (key === "Enter" && this.state.failure)) {
            this.goNextToDo();
        } else if (key === "<" || key === "PageUp") {
            this.go(-1);
        } else if (key === "Enter" && this.state.finished) {
            this.back();
        } else {
            return false;
        }
        return true;
    }

    handlePickKey(key) {
        const contacts = this.data.contacts;
        if (key === "Escape" || key === "@") {
            this.state.picking = false;
        } else if (key === "ArrowDown") {
            this.state.pick = Math.min(contacts.length - 1, this.state.pick + 1);
        } else if (key === "ArrowUp") {
            this.state.pick = Math.max(0, this.state.pick - 1);
        } else if (key === "Enter") {
            this.pickContact(contacts[this.state.pick]);
        } else if (/^[1-9]$/.test(key) && contacts[key - 1]) {
            this.pickContact(contacts[key - 1]);
        } else {
            return false;
        }
        return true;
    }

    handleFormKey(ev, editing) {
        const { key } = ev;
        if (key === "Escape") {
            this.cancelOutcome();
            return true;
        }
        if (key === "Enter" && !ev.shiftKey) {
            if (!ev.repeat) {
                this.log();
            }
            return true;
        }
        if (!editing) {
            const category =
                this.asks("category") && /^[1-9]$/.test(key) && this.data.categories[key - 1];
            if (category) {
                this.chooseCategory(category.value);
                return true;
            }
            return this.handleItemKey(key);
        }
        return false;
    }

    handleItemKey(key) {
        if (key === "ArrowDown" || key === "ArrowUp") {
            this.moveCursor(key === "ArrowDown" ? 1 : -1);
        } else if (key === " " && this.data.items[this.state.cursor]) {
            this.toggleItem(this.data.items[this.state.cursor]);
        } else if (key === "*") {
            this.toggleAll();
        } else {
            return false;
        }
        return true;
    }

    handleScreenKey(ev) {
        const { key } = ev;
        if (this.handleItemKey(key)) {
            return true;
        }
        if (key === "?") {
            this.state.help = true;
        } else if (key === "#") {
            this.dial();
        } else if (key === "@") {
            this.togglePicking();
        } else if (key === ">" || key === "PageDown") {
            this.go(1);
        } else if (key === "<" || key === "PageUp") {
            this.go(-1);
        } else if (key === "Escape") {
            // Not when the key that closed the form was held a little longer.
            if (!ev.repeat && Date.now() - (this.closedAt || 0) > 400) {
                this.back();
            }
        } else {
            const outcome =
                key.length === 1 &&
                this.data.outcomes.find(
                    (candidate) => candidate.shortcut && candidate.shortcut === key.toLowerCase()
                );
            if (!outcome || ev.repeat) {
                return false;
            }
            this.openOutcome(outcome);
        }
        return true;
    }
}

registry.category("actions").add("l10n_nl_dunning.debtor_screen", DebtorScreen);
