import * as hoot from "@odoo/hoot-dom";

import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Throw when the page can be moved sideways: on a telephone that is a page nobody reads. */
function checkWidth() {
    if (document.documentElement.scrollWidth > window.innerWidth) {
        throw new Error(
            `The page is wider than the screen: ${document.documentElement.scrollWidth}`
        );
    }
}

/** Draw a line with a finger from the left to the right of a canvas. */
function draw(canvas) {
    canvas.scrollIntoView({ block: "center" });
    const box = canvas.getBoundingClientRect();
    const point = (kind, part) =>
        canvas.dispatchEvent(
            new PointerEvent(kind, {
                bubbles: true,
                cancelable: true,
                pointerId: 1,
                isPrimary: true,
                button: 0,
                buttons: kind === "pointerup" ? 0 : 1,
                pressure: 0.5,
                pointerType: "touch",
                clientX: box.left + box.width * part,
                clientY: box.top + box.height * (0.3 + 0.4 * part),
            })
        );
    point("pointerdown", 0.1);
    for (let part = 0.15; part < 0.9; part += 0.05) {
        point("pointermove", part);
    }
    point("pointerup", 0.9);
}

tours.add("l10n_nl_dunning.arrangement_call", {
    steps: () => [
        {
            content: "At the telephone: the debtor wants to pay in instalments",
            trigger: ".o_dunning_debtor_screen .o_dunning_columns:not(.o_dunning_loading)",
            async run() {
                await hoot.press(["r"]);
                await hoot.press(["Enter"]);
            },
        },
        {
            content: "With the interest and costs that were not asked yet",
            trigger: ".modal div[name=with_unasked] input",
            run: "click",
        },
        {
            content: "Three times",
            trigger: ".modal div[name=instalment_count] input",
            run: "edit 3",
        },
        {
            content: "What it comes to is worked out",
            trigger: ".modal div[name=instalment_amount] input",
            run: "click",
        },
        {
            content: "and shown: three days, three amounts",
            trigger:
                ".modal .o_dunning_arrangement_preview table:last-of-type tr:nth-child(3):last-child",
        },
        {
            content: "Offer it",
            trigger: ".modal footer button[name=action_offer]:enabled",
            run: "click",
        },
        {
            content: "It is on offer",
            trigger: ".o_form_view .o_arrow_button_current:contains(Offered)",
        },
        {
            content: "and the window is gone",
            trigger: "body:not(:has(.modal))",
        },
    ],
});

tours.add("l10n_nl_dunning.arrangement_sign", {
    steps: () => [
        {
            content: "The debtor reads what he is to sign",
            trigger: "h1",
            run: checkWidth,
        },
        {
            content: "The first letter of his name: the pad appears",
            trigger: ".o_web_sign_name_input",
            run: "edit J",
        },
        {
            content: "He wants to draw",
            trigger: ".o_web_sign_draw_button",
            run: "click",
        },
        {
            content: "The rest of his name",
            trigger: "div:has(.o_web_sign_draw_clear) .o_web_sign_name_input",
            run: "edit Jan Jansen",
        },
        {
            content: "With his finger",
            trigger: "canvas.o_web_sign_signature",
            async run() {
                await new Promise((done) => setTimeout(done, 400)); // the pad has its size then
                draw(document.querySelector(".o_web_sign_signature"));
            },
        },
        {
            content: "Sign",
            trigger: ".o_portal_sign_submit:enabled",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Thank you",
            trigger: ".o_dunning_message.good:contains(Thank you, you have signed)",
            run: checkWidth,
        },
    ],
});

tours.add("l10n_nl_dunning.arrangement_countersign", {
    steps: () => [
        {
            content: "Sign for the company",
            trigger: ".o_form_view button[name=action_countersign]",
            run: "click",
        },
        {
            content: "It runs",
            trigger: ".o_form_view .o_arrow_button_current:contains(Running)",
        },
    ],
});

tours.add("l10n_nl_dunning.arrangement_pay", {
    steps: () => [
        {
            content: "The first instalment of which something is left",
            trigger: ".o_dunning_rows a[href*='/pay/']:first",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Odoo's provider for trying",
            trigger: "#o_payment_form input[name=customer_input]",
            run: "edit 1234",
        },
        {
            content: "Pay",
            trigger: "button[name=o_payment_submit_button]:enabled",
            run() {
                checkWidth();
                document.querySelector("button[name=o_payment_submit_button]").click();
            },
            expectUnloadPage: true,
        },
        {
            content: "Thank you",
            trigger: "h1:contains(Thank you for your payment)",
            run: checkWidth,
        },
        {
            content: "To the overview",
            trigger: "a.o_dunning_button:contains(To the overview)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Paid",
            trigger: ".o_dunning_rows li[data-state=paid]",
            run: checkWidth,
        },
    ],
});

tours.add("l10n_nl_dunning.arrangement_resumed", {
    steps: () => [
        {
            content: "The reminder that follows is proposed",
            trigger: ".o_data_row:contains(Bakkerij De Korst) td[name=partner_id]",
            run: "click",
        },
        {
            content: "What was agreed is asked with it",
            trigger: ".o_form_view div[name=line_ids] .o_data_row",
        },
        {
            content: "Back",
            trigger: ".o_breadcrumb .o_back_button",
            run: "click",
        },
        {
            content: "Select it",
            trigger: ".o_data_row:contains(Bakkerij De Korst) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Approve",
            trigger: ".o_control_panel button[name=action_review]",
            run: "click",
        },
        {
            content: "See what it comes to, and approve",
            trigger: ".modal:contains(Bakkerij De Korst) footer button[name=action_approve]",
            run: "click",
        },
        {
            content: "The result is told",
            trigger: ".o_notification:contains(on their way)",
        },
    ],
});
