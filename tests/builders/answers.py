"""What a letter has to say to each kind of request that is granted in full, in Japanese and in English."""

#: By kind and language: the article, and the sentence that says how it ends.
ANSWERS = {
    ("disclosure", "ja"): ("第33条第1項", "同条第2項に基づき、次のとおり開示いたします。"),
    ("disclosure", "en"): ("Article 33(1)", "Under Article 33(2) we disclose the following:"),
    ("purpose-notification", "ja"): ("第32条第2項", "保有個人データの利用目的を、次のとおり通知いたします。"),
    ("purpose-notification", "en"): ("Article 32(2)", "for which purposes we use your personal data"),
    ("correction", "ja"): (
        "第34条第1項",
        "次のとおり訂正等を行いましたので、同条第3項に基づき通知いたします。",
    ),
    ("correction", "en"): ("Article 34(1)", "after an investigation we have made these corrections:"),
    ("suspension", "ja"): (
        "第35条第1項・第5項",
        "次のとおり利用を停止いたしましたので、同条第7項に基づき通知いたします。",
    ),
    ("suspension", "en"): ("Article 35(1) or (5)", "we inform you that its use is suspended:"),
    ("erasure", "ja"): (
        "第35条第1項・第5項",
        "次のとおり消去いたしましたので、同条第7項に基づき通知いたします。",
    ),
    ("erasure", "en"): ("Article 35(1) or (5)", "we inform you that we have erased the following:"),
    ("stop-provision", "ja"): (
        "第35条第3項・第5項",
        "次のとおり提供を停止いたしましたので、同条第7項に基づき通知いたします。",
    ),
    ("stop-provision", "en"): ("Article 35(3) or (5)", "we inform you that it has been stopped:"),
    ("provision-records", "ja"): ("第33条第5項が準用する同条第1項", "次のとおり開示いたします。"),
    ("provision-records", "en"): ("Article 33(5), which applies Article 33(1)", "They are:"),
    ("complaint", "ja"): ("第40条", "調査いたしましたので、その結果をご報告いたします。"),
    ("complaint", "en"): ("Article 40", "We have investigated it under Article 40"),
}
PURPOSES = {
    "ja": ("コールセンター業務におけるサービスレベルの向上", "お問い合わせへの対応", "防犯"),
    "en": ("Service level in call-centre operations", "Answering customers' inquiries", "Crime prevention"),
}
EVIDENCE = {"ja": "消去証明（manifest.json）", "en": "Certificate of erasure (manifest.json)"}
CORRECTED = {"ja": "電話番号: {} → {}", "en": "telephone number: {} → {}"}
BASIS = {"ja": ("法令に基づく場合", "第27条第1項第1号"), "en": ("Required by law", "Article 27(1)(i)")}
COMPLAINED = {
    "ja": ("案内放送が途中で切れておりました。", "放送を最後まで流すよう改めました。"),
    "en": ("The announcement was cut off.", "It is now played to its end."),
}
