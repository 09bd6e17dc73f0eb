"""Words of the console that are chosen by the code: what came of an act, kinds of case and of fact, roles, reasons.

Whole sentences, marked for the catalogues and looked up where they are shown.
"""


def N_(message: str) -> str:
    """Marks a text for the catalogues."""
    return message


SAID = {
    "closed": N_("The case is closed."),
    "sent": N_("Noted. Your colleagues see that somebody is on the way."),
    "told": N_("The recipient is told that something is wrong, and that it is seen to."),
    "nobody_to_tell": N_("Nobody is told: no address or number of a recipient is known, or nobody waits for it here."),
    "held": N_("The door is out of order: it is offered to nobody until somebody has looked."),
    "asked": N_("The order is on its way. What the station says stands below."),
    "second": N_("It waits for a second person, who sees it under Needs you."),
    "agreed": N_("Agreed."),
    "withdrawn": N_("Withdrawn. Nothing was done."),
    "admitted": N_("Admitted."),
    "revoked": N_("Taken back."),
    "ordered": N_("Noted. The courier's phone shows it at its next look."),
    "noted": N_("Noted."),
    "adopted": N_("The new policy is in force. Stations hear of it now."),
    "changed": N_("Changed."),
    "away": N_("This person can no longer come in."),
    "passkey": N_("The passkey is made. Next time you sign in with it."),
    "kept": N_("Everything inside is kept longer."),
    "cancelled": N_("Cancelled. Nobody waits for it any more."),
    "written_off": N_("Written off. Its recipient is told that it is lost, its carrier hears why."),
    "on_screen": N_("Its screen says so, or will as soon as the station hears of it."),
    "off_screen": N_("Its screen says nothing of its own any more."),
}
REFUSED = {
    "sign_in": N_("This key lets nobody in here. Check it."),
    "passkey_only": N_("You have a passkey: sign in with it. If it is lost, an admin gives you a new key."),
    "stale_screen": N_("This has changed meanwhile. Look again."),
    "second_person_needed": N_("A second person must agree. Nobody agrees to what they asked for."),
    "not_found": N_("There is nothing here under this name."),
    "prove_again": N_("Prove once more that it is you."),
    "bad_field": N_("Something is missing or does not fit. Check what you typed."),
    "too_large_a_body": N_("This file is too large, or there are as many as may be."),
    "reason_missing": N_("Say why first. It goes into the journal."),
}

TAKEN_OUT = {
    "goes_back": N_("it goes back to its carrier"), "room": N_("the room is needed"),
    "authority": N_("an authority demands it"),
}  # fmt: skip
"""Why what is late is taken out from afar."""
STEP = {
    "opened": N_("open now: take it out, then push the door shut"), "out": N_("taken out"),
    "door_busy": N_("another door is still open there; this one waits"), "left_open": N_("nobody saw its door shut"),
    "wrong_code": N_("collected meanwhile, or not late any more"), "next": N_("still to come"),
    "wrong_stage": N_("collected meanwhile, or not late any more"), "left": N_("not opened"),
    "not_for_this_station": N_("collected meanwhile, or not late any more"),
}  # fmt: skip
"""What became of one parcel of an act that takes several out, or will."""

WHO_MAY = N_("It may lie outside your area, or beyond your role. An admin can change both, under People.")

ABOUT = {
    "door_did_not_open": N_("A door did not open, says the recipient"),
    "reported_empty": N_("Nothing was inside, says the recipient"),
    "reported_wrong_parcel": N_("The wrong parcel was inside, says the recipient"),
    "reported_damaged": N_("The parcel is damaged, says the recipient"),
    "short_of_room": N_("Room is promised twice"),
    "opened_unasked": N_("A door opened that nobody was let in by"),
    "another_door_opened": N_("Another door opened than the one that was asked for"),
    "unexpected_removal": N_("A courier took out what nobody expected to be taken"),
    "unexpected_collection": N_("Something was collected that nobody expected"),
    "unexpected_deposit": N_("Something was put in that nobody expected"),
    "two_in_one_compartment": N_("Two parcels lie behind one door"),
    "deposited_twice": N_("One parcel was put in twice"),
    "door_failed": N_("A door does not open"),
    "door_left_open": N_("A door stands open"),
    "deposit_unseen": N_("A parcel was put in while the station had no power, and may not be there"),
    "door_unclear": N_("Nobody can say whether a door is open"),
    "no_such_compartment": N_("Something was put behind a door that the layout does not have"),
    "never_taken_back": N_("A late parcel was never taken back"),
    "stop_unreachable": N_("A courier could not get to a station"),
    "never_brought": N_("An announced parcel never came"),
    "written_off": N_("A parcel was written off, and may lie there still"),
    "out_of_order": N_("A door is out of order"),
    "disk_full": N_("The station's disk is full"),
    "ups_complains": N_("The station's battery needs somebody"),
    "doors_unreachable": N_("A station does not reach its lock boards"),
    "doors_not_walked": N_("Nobody has walked along a station's doors"),
    "journal_restored": N_("A new computer does not know what the old one saw last"),
    "books_differ": N_("Two books tell different stories"),
    "learnt_late": N_("An update has learnt late what a door saw, and nobody was told"),
    "lapsed_while_silent": N_("A promise lapsed while its station was silent"),
    "notice_given_up": N_("A recipient could not be told"),
    "announcement_lost": N_("Nobody knows for whom a parcel is"),
    "layout_given_back": N_("A station's layout was lost and must be set up again"),
    "unreadable_entry": N_("An entry cannot be read"),
    "silent": N_("A station is silent"),
    "permit": N_("A permit ends"),
    "mail_refused": N_("A mail server refuses our mail by its policy"),
    "second": N_("Somebody needs a second person"),
    "stuck": N_("What was agreed to does not go through"),
}
SOMETHING = N_("Somebody should look")

COST = {
    "second": N_("a colleague waits"),
    "waits": N_("somebody waits for a parcel"),
    "risk": N_("a parcel may be lost"),
    "full": N_("a door is missing where few are free"),
    "door": N_("a door is out of use"),
    "silent": N_("we hear nothing"),
    "station": N_("the station may stop"),
    "paper": N_("paper"),
}
NEXT = {
    "waits": N_("Open the door, or write to the recipient; then close the case."),
    "risk": N_("Have somebody look behind the door, then close the case."),
    "full": N_("Send a technician first: room is short here."),
    "door": N_("Send a technician to the door, then close the case."),
    "silent": N_("Ask the host whether there is power. The station works on its own."),
    "station": N_("Send a technician to the station, then close the case."),
    "paper": N_("Look it up, then close the case."),
}
NEXT_OF = {
    "permit": N_("Have it renewed, then note the new date."),
    "mail_refused": N_(
        "Have the mail login, the sender's domain and its reputation looked at. Mails wait and are tried again for "
        "three days, then they are given up."
    ),
    "never_brought": N_(
        "Ask the carrier where it is. If it will never come, cancel it on its page. Close the case, and you are asked "
        "again in 30 days."
    ),
    "never_taken_back": N_(
        "Send a courier to take it back. If nobody ever can, write it off on its page. Close the case, and you are "
        "asked again in 30 days."
    ),
    "written_off": N_(
        "Look behind the door, if it still stands. Close the case, and the compartment is offered again."
    ),
    "announcement_lost": N_("Look up whose it is. If nobody knows, it is cancelled on its page; then close the case."),
    "out_of_order": N_("Have it mended and looked at, then close the case."),
    "stuck": N_("It is tried again every half minute. If it stays, have the hub's log read, or take it back."),
}
"""Where what a case is about says more than its cost."""

KIND = {
    "Announced": N_("Announced by the carrier"),
    "Reserved": N_("Room was promised"),
    "Withdrawn": N_("Room is held elsewhere now"),
    "Lapsed": N_("Not brought in time: the room was given back"),
    "Cancelled": N_("Cancelled"),
    "Diverted": N_("It goes another way"),
    "Extended": N_("Kept longer"),
    "Expired": N_("The holding time ended"),
    "WrittenOff": N_("Written off as lost"),
    "CarrierReported": N_("The carrier scanned it"),
    "CodeRenewed": N_("A new code"),
    "Deposited": N_("Put in"),
    "Collected": N_("Collected"),
    "TakenBack": N_("Taken back by the courier"),
    "DoorOpened": N_("The door was seen open"),
    "DoorClosed": N_("The door was seen shut"),
    "DoorFailed": N_("The door did not do what was asked"),
    "OrderAnswered": N_("An order from afar was answered"),
    "CompartmentHealth": N_("A compartment changed its health"),
    "WrongCode": N_("Wrong codes were typed"),
    "Measured": N_("A probe was read"),
    "Power": N_("Power"),
    "ClockSet": N_("The clock was set"),
    "StoodStill": N_("The station stood still"),
    "JournalRestored": N_("A new computer fetched the book"),
    "CaseOpened": N_("A case was opened"),
    "CaseClosed": N_("A case was closed"),
    "ScreenNoted": N_("What its screen says besides was changed"),
    "Looked": N_("Somebody looked who it is for"),
    "StaffChanged": N_("One of your people was admitted, changed or sent away"),
    "Forgotten": N_("Its person was erased"),
    "Granted": N_("A courier was admitted, a code was drawn, or a door was opened from afar"),
    "Revoked": N_("An admission or a code was taken back"),
    "Blocked": N_("Nobody may collect it for now"),
    "Unblocked": N_("It may be collected again"),
    "PolicyAdopted": N_("A policy was adopted"),
    "TableAdopted": N_("A forecast was adopted"),
    "AdmissionAdopted": N_("It was adopted who is admitted"),
    "StationConfigured": N_("The station was set up, or changed"),
    "StationEnrolled": N_("A computer joined as this station"),
    "KeyRevoked": N_("Its computer is trusted no longer"),
    "EpochBegan": N_("The hub was restored, and began a new book"),
    "CaseNoted": N_("Something was done about a case"),
    "RoundOrdered": N_("A courier was given an order of stops"),
    "StopPassed": N_("A courier went on without a stop that comes first"),
    "SiteNoted": N_("What is on paper about its site was noted"),
}
ROLE = {
    "viewer": N_("looks"),
    "technician": N_("looks, opens doors, sets them out of order"),
    "planner": N_("looks, exports, keeps sites and policies"),
    "operator": N_("does all daily work, agrees as a second person"),
    "admin": N_("everything, and who may come in"),
}
REASONS = {
    "stuck": N_("a recipient's door does not open"),
    "damaged": N_("a parcel is damaged or leaks"),
    "look": N_("somebody must look inside"),
    "clean": N_("cleaning or repair"),
    "authority": N_("an authority demands it"),
}
"""Why a door is opened or a person is shown: a list, and room for words beside it. The journal holds the key."""
CALLED_OFF = {
    "carrier_gone": N_("its carrier does not answer any more"),
    "never_came": N_("it never came"),
    "nobodys": N_("nobody knows whose it is"),
    "mistake": N_("it was announced by mistake"),
}
WRITTEN_OFF = {
    "destroyed": N_("the station was destroyed"),
    "given_up": N_("the station was given up with it inside"),
    "stolen": N_("it was stolen"),
    "missing": N_("it is not behind its door, and nobody knows where"),
}
STATION_LOST = {key: WRITTEN_OFF[key] for key in ("destroyed", "given_up", "stolen")}
"""Why a parcel, or all that lies in a station, ends: lists as above."""
KNOBS = {
    N_("Room and promises"): {
        "ahead_days": N_("days ahead that room is promised"),
        "deposit_window_hours": N_("hours from the expected time to the end of a promise"),
        "lapse_silence_hours": N_("hours after which a promise lapses though its station is silent"),
        "overbook": N_("promises beyond the compartments that are free"),
        "keep_reach": N_("free compartments in reach of each size that are kept for those who need them"),
        "offer_from": N_("how likely room must be for a station to be offered, from 0 to 1"),
        "alternatives": N_("stations named in a refusal"),
        "near_km": N_("kilometres in which room is looked for"),
        "ask_permit": N_("whether room is promised only where a permit is noted that holds"),
    },
    N_("Holding time and reminders"): {
        "hold_hours": N_("hours from deposit to the end of the holding time"),
        "extend_hours": N_("hours that a recipient may keep it longer"),
        "extensions": N_("times that a recipient may keep it longer"),
        "remind_hours_before": N_("hours before the end that a reminder is sent"),
        "quiet_from_hour": N_("hour from which reminders wait"),
        "quiet_until_hour": N_("hour until which reminders wait"),
    },
    N_("At the station"): {
        "reopen_s": N_("seconds in which a door may be opened again"),
        "bare_code_parcels": N_("parcels inside above which the last four of the number are asked for too"),
        "verified_from": N_("worth from which a parcel is for a verified person alone; empty where none is"),
        "verified_currency": N_("the currency of that worth, three letters"),
        "courier_idle_s": N_("seconds that a screen waits for a courier"),
        "help_phone": N_("telephone number that a station's screen says to call for help; empty where there is none"),
        "serve_unwalked": N_("whether a station opens doors that nobody has walked along"),
    },
    N_("What one person may do without a second"): {
        "alone_doors": N_("doors that one person may open from afar in ten minutes"),
        "alone_parcels": N_("parcels that one person may keep longer, or write off with their station, at once"),
    },
    N_("Couriers"): {
        "order_warned": N_("carriers, by id with spaces between, * for all: who opens another stop than the first "
            "of an order is asked"),
        "order_enforced": N_("the same: who opens another stop first says why before it is shown; empty for none"),
        "photo_off": N_("carriers, named as above, that want no photo with a courier's report of a parcel; empty "
            "for none"),
        "photo_required": N_("the same, that want a photo with each; empty for none"),
    },
    N_("What things cost"): {
        "cost_station_day": N_("what a station costs for a day: site, power, line, service"),
        "cost_compartment_day": N_("what a compartment costs for a day"),
        "cost_stop": N_("what a courier's stop at a station costs"),
        "cost_deposit": N_("what each parcel that is put in costs"),
        "cost_diverted": N_("what each parcel costs that had to be sent another way"),
        "cost_currency": N_("the currency of all costs, three letters; empty where none is stated"),
    },
}  # fmt: skip
"""Every knob of the policy in words, under the heading that it stands under."""
