# main navigation
server-nav-home = Home
server-nav-services = Services
server-nav-my = My affairs
server-nav-licences = My licences
server-nav-work = Cases to do
server-nav-work-licences = Licences
server-nav-data = Data
server-nav-supervision = Supervision
server-nav-audit = Audit
server-nav-admin = Administration
server-nav-verify = Verify a licence

# accessibility statement
server-accessibility-title = Accessibility statement
server-accessibility-lead = Everybody should be able to get their business done here, on any device, however well they see or move.
server-accessibility-works = How you can use it
server-accessibility-works-keyboard = Everything can be done by keyboard, and the focus is always visible.
server-accessibility-works-script = Applying, looking up and verifying work without scripts.
server-accessibility-works-zoom = At 320 pixels and at 400% nothing is lost and nothing scrolls sideways.
server-accessibility-works-elder = Large-type mode has bigger letters, more contrast, fewer choices, and reads pages aloud.
server-accessibility-works-colour = Colour never speaks alone; there are always words beside it.
server-accessibility-known = What is not good yet
server-accessibility-known-text = PDF licences do not carry full tags yet, so screen readers read them less well; the licence's page has the same content.
server-accessibility-help = If you need help
server-accessibility-help-text = Call 12345 or go to a service centre nearby; somebody will do it with you.

# privacy
server-privacy-title = Privacy
server-privacy-lead = Your data serve your own affairs. Who looked at them, when, and for which case, you can see at any time.
server-privacy-what = Which data
server-privacy-what-text = Only what the case needs. What the government holds already is filled in with its source, and you are not asked to prove it (State Council Decree 716, article 7).
server-privacy-who = Who sees them
server-privacy-who-text = Only the post that handles your case, while it does; every look is kept in a log that cannot be changed unnoticed. Names, numbers, addresses and form answers are encrypted in the database.
server-privacy-footprint = See my data footprint
server-privacy-how-long = How long
server-privacy-how-long-text = Drafts that were not submitted are kept for 30 days. Cases are kept as the archive rules say.
server-privacy-cookies = What is stored on your device
server-privacy-cookies-text = Your sign-in, language and type size. No tracking, nothing for others.
server-privacy-wrong = If something is wrong
server-privacy-wrong-text = Change it in the form and say why, or call 12345 to have it corrected.

# contact
server-contact-title = Contact
server-contact-lead = For a case, have its number ready; for rules, call the hotline.
server-contact-hotline = Government hotline
server-contact-hotline-hint = At any hour
server-contact-case = About a case
server-contact-case-value = The office in charge
server-contact-case-hint = Its phone number is on the page of the case
server-contact-security = Report a security problem
server-contact-security-text = Call 12345 and ask for the security post; please do not publish details. You will have an answer within two working days.
