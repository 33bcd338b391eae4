# E-licences: wallet, presenting, verifying, keeping.

# Wallet
licences-wallet = My licences
licences-wallet-lead = Electronic licences that the government issued to you. They have the force of paper ones, and you can present, download and check them at any time.
licences-wallet-empty = No electronic licences yet
licences-wallet-empty-text = A licence appears here by itself once your application is decided.
licences-wallet-find = See what you can apply for
licences-past = Licences that no longer hold
licences-home = Home

# One licence
licences-contents = What the licence says
licences-own-hint = Only you can see this; it is in no presentation, file or QR code
licences-identifier = Licence identifier
licences-issuer = Issued by
licences-issued = Signed
licences-term = Term
licences-term-fixed = { $from } to { $to }
licences-term-open = From { $from }, without a fixed end
licences-version = Version
licences-version-number = Version { $number }
licences-status = Status
licences-from-case = From case
licences-case-no = Case number
licences-document = Document
licences-present = Present the licence
licences-pdf = Download the PDF
licences-file = Download the file to verify
licences-file-hint = The file carries two digital signatures and can be verified without a connection.
licences-make-copy = Make an annotated copy
licences-not-in-force = This licence cannot be presented or copied at present.
licences-history = History
licences-event-issued = Issued
licences-event-amended = Amended
licences-event-suspended = Suspended
licences-event-restored = Restored
licences-event-revoked = Revoked
licences-event-expired = Expired
licences-grounds = { $reason } (legal basis: { $basis })
licences-by-anonymous = A visitor who was not signed in
licences-by-citizen = A citizen's account
licences-by-officer = An officer
licences-by-auditor = An auditor
licences-by-administrator = The administrator of the platform
licences-by-system = A connected system
licences-by-node = The platform itself

# Presenting
licences-present-title = On what occasion do you present it?
licences-present-lead = The other side sees no more than the occasion needs. A code is good once.
licences-scene-hint = Shows: { $claims }; good for { $minutes } minutes
licences-scene-plain = Only the basic contents
licences-make-code = Make a code
licences-code-title = Let them scan or type the code
licences-code-name = One-time code
licences-code-shows = They will see
licences-code-scene = Occasion
licences-code-until = Good until
licences-code-hint = Good once
licences-code-again = Make another
licences-code-back = Back to the licence
licences-code-address = Or open this address and type the code
licences-code-log = Once they have verified it, the log of who looked at this licence says so.

# Annotated copies
licences-copy-title = Make an annotated copy
licences-copy-lead = An annotated copy says on every page what it is for, for whom and until when, so that it is used for nothing else. Whoever verifies it sees the same.
licences-copy-purpose = Purpose
licences-copy-purpose-hint = For example: filing the lease of a shop
licences-copy-recipient = Recipient
licences-copy-recipient-hint = The name of the body or the person who gets it
licences-copy-days = Days
licences-copy-days-hint = Counted from today, 1 to 365
licences-copy-until = Copy good until
licences-copies = Annotated copies
licences-copies-none = No annotated copy was made yet.
licences-copy-download = Download
licences-copy-for = { $recipient }: { $purpose } (good until { $date })

# Who looked
licences-uses = Who looked at this licence
licences-uses-lead = Every verification is listed: when, in which way, who they said they were, what for.
licences-uses-none = Nobody has verified this licence yet
licences-uses-none-text = It shows here as soon as somebody does.
licences-uses-count = { $count ->
    [one] Verified once
   *[other] Verified { $count } times
}
licences-uses-last = Last on { $at }
licences-uses-show = See the log
licences-use-code = Verified the one-time code that you presented
licences-use-document = Verified the licence's file
licences-use-paper = Scanned the QR code on the licence
licences-use-copy = Verified an annotated copy
licences-use-said = Said to be: { $name }

# Verifying
licences-verify = Verify a licence or a receipt
licences-verify-lead = Type the code that you were shown, paste the contents of a QR code, or upload a licence or a receipt (PDF or JSON). You learn at once whether it is genuine and whether it holds.
licences-verify-text = Code, or contents of the QR code
licences-verify-text-hint = A code looks like 7QK3M-9XW2B; the contents of a QR code begin with YW1:
licences-verify-file = Or upload a file
licences-verify-file-hint = PDF or JSON, at most 20 MB. The file is thrown away after the check.
licences-verify-who = Who you are (optional)
licences-verify-who-hint = A body or a name; the holder sees it in their log
licences-verify-purpose = What you verify it for (optional)
licences-verify-button = Verify
licences-verify-offline = Without a connection
licences-verify-offline-text = With the trust list and the status list, the command yiwang verify checks a file on any computer, without this site.
licences-verify-trust = Trust list
licences-verify-status = Status list
licences-verify-code-title = Verify this code
licences-verify-code-text = A code is good once. Make sure that somebody is presenting it to you now, then press Verify.
licences-verify-code = Code
licences-verify-another = Verify another
licences-result = Result
licences-shown = What was shown
licences-compare = What you see here counts. Compare it with what you were handed.
licences-as-of = Status as of
licences-live = Verified online; the status is of this moment
licences-scene = Occasion
licences-copy-note = This is an annotated copy, good only for the following

# Verdicts: name and meaning
licences-verdict-valid = Genuine and valid
licences-verdict-revoked = Revoked
licences-verdict-suspended = Suspended
licences-verdict-expired = Expired
licences-verdict-not-yet-valid = Not valid yet
licences-verdict-forged = The signature does not fit: forged or changed
licences-verdict-unknown-key = Unknown issuer key
licences-verdict-unreadable = Not readable
licences-verdict-status-unknown = Genuine, status unknown
licences-meaning-valid = The signatures are genuine, the term is running, and it was neither revoked nor suspended.
licences-meaning-revoked = The signatures are genuine, but the licence was revoked or replaced by a later version. Do not rely on it.
licences-meaning-suspended = The signatures are genuine, but the licence is suspended for the time being.
licences-meaning-expired = The signatures are genuine, but it expired on { $date }.
licences-meaning-not-yet-valid = The signatures are genuine, but it holds only from { $date }.
licences-meaning-forged = Contents and signature do not fit: the file was changed after it was signed, or was never signed by that body. Do not rely on it.
licences-meaning-unknown-key = The key { $kid } is not in the trust list. It may be of another place, or the trust list is too old.
licences-meaning-unreadable = This is no licence or receipt of this platform, or the file is damaged.
licences-meaning-status-unknown = { $hours ->
    [-1] The signatures are genuine, but there is no status list, so nobody here can tell whether it was revoked. Verify it online.
    [one] The signatures are genuine, but the status list is { $hours } hour old, so nobody here can tell whether it was revoked since. Get a new list or verify online.
   *[other] The signatures are genuine, but the status list is { $hours } hours old, so nobody here can tell whether it was revoked since. Get a new list or verify online.
}

# Officers
licences-work = Licences
licences-work-lead = Find licences of your organisation that your post keeps. Every search and every view is logged, and the holder sees it.
licences-work-q = Identifier, number or name
licences-work-q-hint = Exactly as it stands on the licence
licences-work-results = Found
licences-work-none = Nothing found
licences-work-none-text = Check that the number is complete; or the licence is not kept by your post.
licences-work-type = Type
licences-work-title = Name
licences-work-number = Number
licences-change-suspend = Suspend
licences-change-restore = Restore
licences-change-revoke = Revoke
licences-change-suspend-text = From now on the licence does not hold, and whoever verifies it is told "suspended". It can be restored.
licences-change-restore-text = From now on the licence holds again.
licences-change-revoke-text = The licence ceases to hold for good and cannot be restored. Whoever verifies it is told "revoked" at once.
licences-change-reason = Reason
licences-change-reason-hint = The holder sees it; at most 500 characters
licences-change-basis = Legal basis
licences-change-basis-hint = Name and number of the law, and the article
licences-actions = What can be done

# Faults of forms
licences-field-reason = Enter the reason, at most 500 characters
licences-field-legal-basis = Enter the legal basis, at most 500 characters
licences-field-purpose = Enter the purpose, at most { $limit } characters
licences-field-recipient = Enter the recipient, at most { $limit } characters
licences-field-days = The number of days is a whole number from 1 to 365
licences-field-nothing = Enter a code or the contents of a QR code, or choose a file
licences-field-code-gone = There is no such code, or it ran out or was used. Ask for a new one

# Notes
flash-licences-copied = The annotated copy was made and can be downloaded
flash-licences-suspended = The licence is suspended
flash-licences-restored = The licence is restored
flash-licences-revoked = The licence is revoked

# Problems
problem-licence-unknown-type = Licences of this type are not issued here
problem-licence-unknown-issuer = There is no such issuer
problem-licence-bad-fields = The contents do not fit the type of the licence
problem-licence-bad-term = The term of the licence ends before it begins
problem-licence-unknown-scene = Licences of this type know no such occasion
problem-licence-not-in-force = The licence does not hold at present and cannot be presented or copied
problem-licence-code-gone = There is no such code, or it ran out or was used
problem-licence-wrong-state = The licence is in a state that does not allow this
problem-licence-changed-meanwhile = Somebody else has just changed the licence; reload the page and try again
problem-licence-not-your-post = Your post does not keep this licence
licences-signatures = Signatures checked
licences-signed-both = GM suite with SM2 and SM3, INTL suite with Ed25519 and SHA-256
licences-signed-gm = GM suite with SM2 and SM3
licences-signed-intl = INTL suite with Ed25519 and SHA-256
