# Page shell, common controls and failures

web-skip = Skip to main content
web-strip = Online government services
web-tagline = One place for public services
web-demo = Demonstration
web-demo-long = demonstration: all persons and cases are invented
web-elder-on = Large-type mode
web-elder-off = Leave large-type mode
web-sign-in = Sign in
web-sign-out = Sign out
web-nav = Main
web-crumbs = You are here
web-back = Back
web-hotline = Public service hotline
web-hotline-hours = Answered day and night. You can also ask in person at the nearest service centre.
web-footer-accessibility = Accessibility statement
web-footer-privacy = Privacy
web-footer-contact = Contact us
web-footer-verify = Verify a licence
web-footer-api = API
web-speak = Read this page aloud
web-speak-stop = Stop reading

web-date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
web-datetime = { web-date }, { $hour }:{ $minute }
web-year = Year
web-month = Month
web-day = Day

web-light-green = In time
web-light-yellow = Due soon
web-light-red = Overdue
web-light-paused = Clock paused
web-light-done = Closed

web-change = Change
web-source = From { $name }
web-source-at = From { $name }, updated { $at }
web-sorted = Sorted by { $heading }, { $direction }
web-ascending = ascending
web-descending = descending

web-filter = Filter
web-filter-count = { $count } chosen
web-filter-selected = Chosen filters
web-filter-remove = Remove filter
web-filter-apply = Apply filters
web-filter-clear = Clear all

web-step-done = (done)
web-due-none = Not started yet
web-due-why = How this date was worked out
web-for = : { $what }
web-material-held = No need to bring
web-material-bring = Please provide
web-material-optional = Optional
web-pages = Pages
web-pages-prev = Previous
web-pages-next = Next
web-pages-number = Page { $number }
web-contents = On this page
web-search = Search
web-actions = Actions

web-licence-valid = Valid
web-licence-not-yet-valid = Not valid yet
web-licence-suspended = Suspended
web-licence-revoked = Revoked
web-licence-expired = Expired
web-qr-left = Valid for { $seconds } more seconds
web-qr-over = No longer valid: reload the page to present it again
web-qr-until = Valid until { $at }

web-error = Error
web-error-title = There is a problem
web-error-title-prefix = Error:{" "}
web-step = Step { $number } of { $of }
web-continue = Continue
web-optional = {" "}(optional)
web-password-show = Show
web-password-hide = Hide
web-password-show-label = Show password
web-password-hide-label = Hide password
web-password-shown = Your password is visible
web-password-hidden = Your password is hidden
web-count-limit = You can enter up to { $count } characters
web-count-under = You have { $count } characters left
web-count-at = You have no characters left
web-count-over = You have { $count } characters too many
web-file-choose = Choose a file
web-file-drop = or drop it here
web-file-many = { $count } files chosen
web-file-none = No file chosen
web-file-entered = Entered the drop zone
web-file-left = Left the drop zone
web-rating = How satisfied are you with this service?
web-rating-5 = Very satisfied
web-rating-4 = Satisfied
web-rating-3 = Fairly satisfied
web-rating-2 = Dissatisfied
web-rating-1 = Very dissatisfied

web-problem-title-400 = This request cannot be handled
web-problem-text-400 = What was sent is incomplete or in the wrong form. Go back, check it and send it again; nothing you filled in is lost.
web-problem-title-401 = Please sign in
web-problem-text-401 = You need to sign in to see this page. If you were filling in a form, its draft was kept and you can go on after signing in.
web-problem-title-403 = You cannot see this page
web-problem-text-403 = Your current identity does not have this permission, or the page was open for too long. Go back and try again, or sign in with another identity.
web-problem-title-404 = Page not found
web-problem-text-404 = The address may be wrong or the page may have moved. You can search for the service from the home page.
web-problem-title-405 = This page cannot be used like that
web-problem-text-405 = Please use the links and buttons on the pages.
web-problem-title-409 = Something has changed
web-problem-text-409 = While you were working, this was updated or had already been sent once. Reload to see the latest state.
web-problem-title-413 = That is too large
web-problem-text-413 = Make the file smaller than the stated limit and upload it again. What you filled in is kept.
web-problem-title-422 = Something needs correcting
web-problem-text-422 = Correct it as shown and send it again; nothing you filled in is lost.
web-problem-title-429 = Too many attempts
web-problem-text-429 = To protect your account, please wait a moment and try again.
web-problem-title-500 = Something went wrong on our side
web-problem-text-500 = You did nothing wrong. Cases that already have a receipt are safe; please try again later.
web-problem-title-503 = The service is unavailable for now
web-problem-text-503 = The system is being maintained; please try again later. Cases that already have a receipt are safe.
web-problem-retry = Please try again in { $seconds } seconds.
web-problem-home = Go to the home page
web-problem-help = For help call 12345 and give the number below.
web-problem-code = Error code
web-problem-request = Request number

## When something goes wrong
problem-form-invalid = Some answers need to be corrected
problem-http-internal = Something went wrong and nothing was done. What you filled in is kept; please try again later
problem-http-not-found = There is no such page
problem-http-method-not-allowed = This address cannot be used like that
problem-http-too-large = What was sent is too large
problem-http-unreadable = What was sent cannot be read
problem-http-unsupported-media-type = Content of this kind is not accepted
problem-access-not-signed-in = Sign in first
problem-access-forbidden = You may not do this
problem-access-csrf = This page was open for too long; reload it and send it again
field-file-too-large = The file is too large: at most { $limit } MB
field-json-unreadable = This cannot be read: { $reason }
