//! What is read of a post.

kernel::numbered! {
    /// What is read of a post; numbers of the contract.
    Field {
        /// What it says.
        Text = 1 "text",
        /// Its title.
        Title = 2 "title",
        /// The account that posted, as people read it.
        Author = 3 "author",
        /// The same as the network counts it.
        AuthorId = 4 "author_id",
        /// The network's number of the post.
        ExternalId = 5 "external_id",
        /// Where it can be read.
        Uri = 6 "uri",
        /// How many may have seen it.
        Reach = 7 "reach",
        /// When it was posted.
        Time = 8 "time",
        /// The language it is in.
        Language = 9 "language",
        /// The organisation's number for who posted.
        CustomerId = 10 "customer_id",
        /// Their e-mail address.
        Email = 11 "email",
        /// Their telephone number.
        Phone = 12 "phone",
        /// The order it is about.
        OrderRef = 13 "order_ref",
        /// The post that it answers.
        ParentId = 14 "parent_id",
        /// The post that it repeats.
        OriginId = 15 "origin_id",
        /// Where that one can be read.
        OriginUri = 16 "origin_uri",
        /// Pictures and the like.
        EvidenceUris = 17 "evidence_uris",
    }
}
