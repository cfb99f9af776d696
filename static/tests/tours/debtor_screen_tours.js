import * as hoot from "@odoo/hoot-dom";

import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Everything the person at the screen does: what he presses, and what he clicks. */
const counted = { keys: 0, clicks: 0, listening: false };

function count() {
    if (!counted.listening) {
        document.addEventListener("keydown", () => counted.keys++, { capture: true });
        document.addEventListener("pointerdown", () => counted.clicks++, { capture: true });
        document.addEventListener("mousedown", () => counted.clicks++, { capture: true });
        counted.listening = true;
    }
    Object.assign(counted, { keys: 0, clicks: 0 });
}

/** Press keys one after the other, wherever the focus is. */
async function press(...keys) {
    for (const key of keys) {
        await hoot.press([key]);
        await new Promise((resolve) => requestAnimationFrame(resolve)); // faster than any hand
    }
}

function check(condition, message) {
    if (!condition) {
        throw new Error(message);
    }
}

// How each call goes, by the name of the debtor, and the keys it takes at most.
const CALLS = {
    "No answer": [["g", "Enter"], 2],
    Voicemail: [["v", "Enter"], 2],
    "Calls back": [["t", "Enter"], 2],
    "Promises all": [["b", "+", "7", "Enter"], 6],
    "Promises part": [["ArrowDown", " ", "b", "+", "3", "Enter"], 6],
    "Paid already": [["a", "Enter"], 2],
    "Wants a copy": [["f", "Enter"], 2],
    "Waits for approval": [["w", "+", "5", "Enter"], 6],
    Disputes: [["o", "3", "Enter"], 6],
    Refuses: [["e", ..."no money", "Enter"], 10],
};
const READY = ".o_dunning_columns:not(.o_dunning_loading)";

tours.add("l10n_nl_dunning.debtor_screen_keyboard", {
    steps: () => [
        {
            content: "The worklist shows ten debtors",
            trigger: ".o_list_view .o_data_row:nth-child(10)",
            async run() {
                count();
                // From the search field into the list, and open the first.
                await press("ArrowDown", "ArrowDown", "Enter");
            },
        },
        ...Object.keys(CALLS).map((_name, index) => ({
            content: `Call ${index + 1}`,
            trigger: `.o_dunning_debtor_screen:has(.o_dunning_done_count[data-done="${index}"]) ${READY}`,
            async run() {
                check(counted.clicks === 0, "The mouse was used");
                const name = document.querySelector(".o_dunning_name").textContent.trim();
                const [keys, most] = CALLS[name] || [];
                check(keys, `Nobody knows how the call with ${name} goes`);
                count();
                await press(...keys);
                check(counted.keys <= most, `${name} took ${counted.keys} keys`);
                delete CALLS[name];
            },
        })),
        {
            content: "All are done",
            trigger: ".o_dunning_finished:contains(done) .o_dunning_tally:contains(No answer)",
            async run() {
                check(!Object.keys(CALLS).length, `Not called: ${Object.keys(CALLS)}`);
                await press("Enter");
                check(counted.clicks === 0, "The mouse was used");
            },
        },
        {
            content: "Back in the list",
            trigger: ".o_list_view .o_data_row",
        },
    ],
});

tours.add("l10n_nl_dunning.debtor_screen_error", {
    steps: () => [
        {
            content: "A promise for a day that has passed, with a note",
            trigger: `.o_dunning_debtor_screen ${READY}`,
            async run() {
                await press("b", ..."2020-01-01", "Tab", "Tab", ..."ann said so");
                await press("Enter");
            },
        },
        {
            content: "is refused in a sentence",
            trigger: ".o_dunning_error:contains(past)",
        },
        {
            content: "and what was typed is still there",
            trigger: ".o_dunning_form",
            run() {
                check(
                    document.querySelector(".o_dunning_date").value === "2020-01-01",
                    "The day is gone"
                );
                check(
                    document.querySelector(".o_dunning_note").value === "ann said so",
                    "The note is gone"
                );
            },
        },
        {
            content: "Also after closing it and choosing another outcome",
            trigger: ".o_dunning_note",
            async run() {
                await press("Escape", "e");
                check(
                    document.querySelector(".o_dunning_note").value === "ann said so",
                    "The note is gone"
                );
                await press("Escape", "b");
            },
        },
        {
            content: "With a day that is still to come it is recorded",
            trigger: ".o_dunning_date:focus",
            async run() {
                // The field is selected: typing replaces what was in it.
                await press("Backspace", "+", "7", "Enter");
            },
        },
        {
            content: "and the screen says so, with a link to it",
            trigger: ".o_dunning_last:contains(Promised):contains(Promise)",
        },
    ],
});

tours.add("l10n_nl_dunning.debtor_screen_look", {
    steps: () => [
        {
            content: "Who may only look sees the debtor",
            trigger: `.o_dunning_debtor_screen ${READY}`,
        },
        {
            content: "but no outcomes",
            trigger: ".o_dunning_outcomes:contains(You can look):not(:has(.o_dunning_outcome))",
            async run() {
                await press("b");
                check(!document.querySelector(".o_dunning_form"), "A form opened");
                await press("?");
            },
        },
        {
            content: "The keys are explained",
            trigger: ".o_dunning_help:contains(next or previous debtor)",
            async run() {
                await press("Escape");
            },
        },
        {
            content: "and the explanation closes",
            trigger: ".o_dunning_debtor_screen:not(:has(.o_dunning_help))",
        },
    ],
});

tours.add("l10n_nl_dunning.debtor_screen_undo", {
    steps: () => [
        {
            content: "Nobody answered",
            trigger: READY,
            async run() {
                await press("g", "Enter");
            },
        },
        {
            content: "It was another debtor: undo it",
            trigger: ".o_dunning_last .o_dunning_undo",
            run: "click",
        },
        {
            content: "The debtor is to do again, and nothing is left to undo",
            trigger: `${READY}, .o_dunning_debtor_screen:not(:has(.o_dunning_last))`,
        },
        {
            content: "It is said",
            trigger: ".o_notification:contains(Undone)",
        },
        {
            content: "Not called today any more",
            trigger: ".o_dunning_header:not(:contains(Called today))",
        },
    ],
});
