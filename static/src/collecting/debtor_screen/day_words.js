import { localization } from "@web/core/l10n/localization";
import { parseDate } from "@web/core/l10n/dates";

const { Info } = luxon;

const DAYS_AWAY = /^([+-])\s*(\d{1,3})$/;
const WEEKS_AWAY = /^([+-])\s*(\d{1,2})\s*w$/;
const DAY_OF_MONTH = /^(\d{1,2})$/;
const DAY_AND_MONTH = /^(\d{1,2})\s*[-/. ]\s*(\d{1,2})$/;

/** The nearest day that is the n-th of a month, from `today` on or back (`sign`); null when no month has it. */
function nearestDayOfMonth(day, today, sign) {
    for (let months = 0; months < 12; months++) {
        const month = today.startOf("month").plus({ months: sign * months });
        if (day >= 1 && day <= month.daysInMonth && month.set({ day }) * sign >= today * sign) {
            return month.set({ day });
        }
    }
    return null;
}

function nearestWeekday(word, today, sign) {
    const locales = [undefined, "en"];
    for (const locale of locales) {
        const names = Info.weekdays("long", locale && { locale }).map((name) => name.toLowerCase());
        const found = [1, 2, 3, 4, 5, 6, 7]
            .map((count) => today.plus({ days: sign * count }))
            .find((day) => names[day.weekday - 1].startsWith(word));
        if (found) {
            return found;
        }
    }
    return null;
}

/**
 * The day that somebody means on the telephone, as a luxon DateTime, or null.
 *
 * “+7” is in seven days, “-2” two days ago, “+2w” in two weeks, “27” the next 27th, “27-11” the next 27 November, “fr”
 * the next Friday (in the user's language or in English), and whole dates are read as everywhere in Odoo.
 *
 * @param {string} text
 * @param {luxon.DateTime} today
 * @param {boolean} [past] read “27” and “fr” as days that have been, as when somebody says that he paid
 */
export function readDay(text, today, past = false) {
    const sign = past ? -1 : 1;
    const word = (text || "").trim().toLowerCase();
    if (!word) {
        return null;
    }
    let match = word.match(DAYS_AWAY);
    if (match) {
        return today.plus({ days: Number(match[1] + match[2]) });
    }
    match = word.match(WEEKS_AWAY);
    if (match) {
        return today.plus({ weeks: Number(match[1] + match[2]) });
    }
    match = word.match(DAY_OF_MONTH);
    if (match) {
        return nearestDayOfMonth(Number(match[1]), today, sign);
    }
    match = word.match(DAY_AND_MONTH);
    if (match) {
        const monthFirst =
            localization.dateFormat.search(/M/) < localization.dateFormat.search(/d/);
        const [day, month] = (monthFirst ? [match[2], match[1]] : [match[1], match[2]]).map(Number);
        const thisYear = today.set({ day: 1 }).set({ month });
        if (month < 1 || month > 12 || day < 1 || day > 31) {
            return null;
        }
        const candidate = [thisYear, thisYear.plus({ years: sign })]
            .filter((first) => day <= first.daysInMonth)
            .map((first) => first.set({ day }))
            .find((found) => found * sign >= today * sign);
        return candidate || null;
    }
    if (/^[^\d\s]+$/.test(word)) {
        return nearestWeekday(word, today, sign);
    }
    try {
        return parseDate(text.trim()) || null;
    } catch {
        return null;
    }
}

/**
 * A time of the day as “HH:MM”, or null: “14”, “9:30”, “1430”, “14u30”.
 *
 * @param {string} text
 */
export function readTime(text) {
    const match = (text || "").trim().match(/^(\d{1,2})(?:\s*[:.hu]\s*(\d{2})?|(\d{2}))?$/i);
    if (!match) {
        return null;
    }
    const [hours, minutes] = [Number(match[1]), Number(match[2] || match[3] || 0)];
    if (hours > 23 || minutes > 59) {
        return null;
    }
    return `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}
