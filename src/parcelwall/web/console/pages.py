"""Every page and act of the console, for the app and for the test of who may do what."""

from parcelwall.web.console import (
    agreeing,
    cases,
    crew,
    expired,
    figures,
    journal,
    longer,
    office,
    overview,
    papers,
    parcels,
    screen,
    sign_in,
    station,
    writing_off,
)

PAGES = [
    sign_in.sign_in_page, sign_in.sign_in, sign_in.passkey_begin, sign_in.passkey_finish, sign_in.sign_out,
    sign_in.me_page, sign_in.make_begin, sign_in.make_finish, sign_in.end_passkey,
    overview.console, overview.console_events, overview.needs_page, overview.needs_events, overview.wall,
    overview.wall_events, cases.close_case, cases.case_photo, cases.send_someone, cases.tell_recipient,
    agreeing.agree, agreeing.agree_begin, agreeing.agree_finish, agreeing.withdraw,
    station.station_page, station.station_events, station.open_door, station.hold_door,
    screen.note_screen, writing_off.write_off_page, writing_off.write_off_all,
    expired.expired_page, expired.expired_events, expired.take_out, expired.take_out_begin, expired.take_out_finish,
    journal.journal_page, station.open_begin, station.open_finish,
    parcels.parcels_page, parcels.find_parcels, parcels.parcel_page, parcels.reveal, parcels.extend_one,
    parcels.cancel_one, parcels.write_off_one,
    longer.longer_page, longer.keep_longer,
    crew.couriers_page, crew.admit_courier, crew.revoke_courier,
    figures.numbers_page, figures.numbers_file,
    office.sites_page, office.note_site, office.put_photo,
    papers.keep_paper, papers.fetch_paper, papers.delete_paper, office.policy_page, office.adopt_policy,
    office.people_page, office.admit_person, office.change_person,
]  # fmt: skip
