"""Pure: what a retention policy says about a recording and a cohort.

No clock, no database, no files: text comes in, a Schedule goes out; facts and
the instant that is asked about come in, a Decision with its reasons goes out.

    period      a calendar period (`P6M`) and the two ways of counting months
    calendar    trigger date → due date → instant; the cut-off is its inverse
    model       the words of a schedule, and what it answers
    evaluate    what the schedule says about one recording at one instant
    document    YAML with line numbers; what is wrong with it, said all at once
    shape       the form of a policy file; the JSON Schema is made from it
    rules       what must hold between the parts of a policy
    parse       text → Schedule
    cases       examples that stand beside a policy and must come out right
"""
