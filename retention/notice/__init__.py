"""The public notice: what is in force, as a page that anybody can read.

In the order in which a page is made:
    model    what the page is made from (pure)
    gather   what is and was in force, from the catalogue
    packs    the words that ship, and words of one's own
    words    headings and statements around the facts, read from text (pure)
    phrases  periods, places, dates and lists, as people say them (pure)
    changes  what one version changed, in a line (pure)
    page     what the page says (pure)
    html     how it looks
    render   every page of a store
"""
