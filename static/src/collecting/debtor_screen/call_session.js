import { browser } from "@web/core/browser/browser";

const KEY = "l10n_nl_dunning.debtor_screen";

/**
 * The debtors of a list, which of them are done today, and what was typed and not logged yet.
 *
 * Kept in the tab of the browser: reloading the page or looking at an invoice in between loses nothing, and another
 * tab or user has his own.
 */
export class CallSession {
    constructor(today) {
        this.today = today;
        const kept = JSON.parse(browser.sessionStorage.getItem(KEY) || "{}");
        const same = kept.today === today;
        this.ids = (same && kept.ids) || [];
        this.done = (same && kept.done) || {};
        this.drafts = (same && kept.drafts) || {};
        this.tally = (same && kept.tally) || {};
    }

    /** Go through these debtors; without any, go on with those of before. */
    use(ids, debtorId) {
        if (ids?.length) {
            this.ids = [...ids];
        }
        if (debtorId && !this.ids.includes(debtorId)) {
            this.ids = [debtorId];
        }
        this.save();
    }

    get doneCount() {
        return this.ids.filter((id) => this.done[id]).length;
    }

    position(debtorId) {
        return this.ids.indexOf(debtorId) + 1;
    }

    /** The neighbour of a debtor in the list, or undefined at its end. */
    beside(debtorId, step) {
        return this.ids[this.ids.indexOf(debtorId) + step];
    }

    /** The first debtor after this one that is still to do, also from the top; undefined when all are done. */
    nextToDo(debtorId) {
        const at = this.ids.indexOf(debtorId);
        return [...this.ids.slice(at + 1), ...this.ids.slice(0, at)].find((id) => !this.done[id]);
    }

    markDone(debtorId, outcome) {
        this.done[debtorId] = true;
        this.tally[outcome] = (this.tally[outcome] || 0) + 1;
        delete this.drafts[debtorId];
        this.save();
    }

    /** The call was undone: the debtor is to do again. */
    unmarkDone(debtorId, outcome) {
        delete this.done[debtorId];
        this.tally[outcome] = Math.max(0, (this.tally[outcome] || 0) - 1);
        this.save();
    }

    keepDraft(debtorId, draft) {
        this.drafts[debtorId] = draft;
        this.save();
    }

    save() {
        const { today, ids, done, drafts, tally } = this;
        browser.sessionStorage.setItem(KEY, JSON.stringify({ today, ids, done, drafts, tally }));
    }
}
