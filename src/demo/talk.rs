//! What is said in the demo's rooms: respectful, lively, made up. A line is who says it, in which room, and how many
//! minutes after the line before.
use super::DemoError;
use super::walk::Walk;
use crate::domain::id::CaseId;
use crate::domain::room::Room;
use Room::{Joint, Neutrals, Notes, Own, Private, Process};

use crate::domain::case::Side::{Initiating, Invited};

/// Somebody says something.
pub type Line = (&'static str, Room, i64, &'static str);

/// A file that somebody lays down in a room: who, where, its name and its words.
pub type Paper = (&'static str, Room, &'static str, &'static str);

/// A shared street: two drop-ins on one morning.
pub const STREET: &[Line] = &[
    (
        "Denise Adair",
        Joint,
        5,
        "Welcome, both. This is where we talk together; each of you also has a room with me alone. There is no rush. Shall we begin with what you value in each other?",
    ),
    (
        "Asha Marlow",
        Joint,
        50,
        "Thank you, Denise. We value that people trust Estuary Voices at two in the morning. We could not do that.",
    ),
    (
        "Ben Tarrow",
        Joint,
        35,
        "That means a lot. And when somebody wants to get their hands dirty in a garden, we send them to Lantern. They come back taller.",
    ),
    (
        "Asha Marlow",
        Private(Initiating),
        90,
        "Between us: our volunteers are worn out. Two doors on one morning splits the few we have, and I did not want to say it in front of everybody.",
    ),
    (
        "Denise Adair",
        Private(Initiating),
        20,
        "I hear you, and it stays here. If you would like to say some of it at the table one day, you decide how much.",
    ),
    (
        "Milo Dace",
        Private(Initiating),
        240,
        "I opened up alone last Thursday. Nobody's doing. I would just like it said that we are tired, not cross.",
    ),
    (
        "Ben Tarrow",
        Private(Invited),
        60,
        "Honestly, we thought they had stopped their morning. We only chose it because the hall was free.",
    ),
    (
        "Denise Adair",
        Notes,
        10,
        "Both tired, both kind. Ask about the hall, and who holds the keys.",
    ),
    (
        "Nour Ashby",
        Joint,
        600,
        "Could I ask something simple? Which mornings are hardest for you to staff?",
    ),
    (
        "Asha Marlow",
        Joint,
        25,
        "Thursdays. We would breathe out if we did not have to open on Thursdays.",
    ),
    (
        "Nour Ashby",
        Joint,
        15,
        "Thursdays are our best day. That sounds like a beginning.",
    ),
    (
        "Denise Adair",
        Process,
        40,
        "The meeting room at the library is booked, with the ramp at the side door. Tea is there from half past nine.",
    ),
];

/// Papers beside it.
pub const STREET_PAPERS: &[Paper] = &[
    (
        "Asha Marlow",
        Joint,
        "Who opens when.csv",
        "day,who opens,from,until\nMonday,Lantern Wyre,09:30,12:00\nTuesday,both together,10:00,13:00\nThursday,Estuary Voices,09:30,12:30\n",
    ),
    (
        "Ben Tarrow",
        Own(Invited),
        "Ideas for the hall.txt",
        "Things to ask before we offer the hall:\n- can both have a key?\n- who pays for the heating?\n",
    ),
    (
        "Asha Marlow",
        Private(Initiating),
        "How we are staffed.txt",
        "Four volunteers for five mornings. Two of them also have the school run.\n",
    ),
];

/// A river with a bank on either side.
pub const RIVER: &[Line] = &[
    (
        "Yusra Banning",
        Joint,
        5,
        "Good morning, both. You asked for plain talk, so here is a plain question: what happens when somebody rings the wrong bank?",
    ),
    (
        "Femi Strand",
        Joint,
        30,
        "They get a second number, and sometimes a third. We are not proud of it.",
    ),
    (
        "Grace Lowther",
        Joint,
        45,
        "Same here. A man told us he had rung five times in a day. He still came, bless him.",
    ),
    (
        "Orla Finch",
        Private(Initiating),
        120,
        "Our newer people worry that one telephone call means one organisation in the end. Could you keep an eye on that for us?",
    ),
    (
        "Yusra Banning",
        Private(Initiating),
        30,
        "I will. Nobody disappears here because a call gets shorter. If you like, release that line to the table yourself when you are ready.",
    ),
    (
        "Grace Lowther",
        Private(Invited),
        60,
        "We have a small grant ending in March, so I go carefully with promises. I would rather say so than look unwilling.",
    ),
    (
        "Yusra Banning",
        Notes,
        10,
        "Two worries, one on each side, and they fit together.",
    ),
    (
        "Yusra Banning",
        Neutrals,
        15,
        "For whoever helps after me: both prefer a call to a long email.",
    ),
    (
        "Femi Strand",
        Joint,
        300,
        "What if we answer each other's telephone one afternoon a week? We would learn a great deal.",
    ),
    (
        "Grace Lowther",
        Joint,
        40,
        "I like that more than any form we could write.",
    ),
];

/// Papers beside it.
pub const RIVER_PAPERS: &[Paper] = &[(
    "Grace Lowther",
    Joint,
    "A month of calls.csv",
    "week,calls passed on,answered the same day\n1,14,9\n2,11,10\n3,12,11\n4,9,9\n",
)];

/// A contract that names somebody else's home.
pub const CONTRACT: &[Line] = &[
    (
        "Callum Frith",
        Joint,
        5,
        "Thank you for coming. Nobody has to have an answer today. Let us look at what the contract says, and at who is already there.",
    ),
    (
        "Carys Penn",
        Joint,
        60,
        "We should have rung before we signed. I am sorry it reached you by email.",
    ),
    (
        "Asha Marlow",
        Joint,
        20,
        "Thank you for saying that first. It makes the rest easier.",
    ),
    (
        "Carys Penn",
        Private(Initiating),
        90,
        "The commissioner wants an answer by the end of the month. It would help us to know what Lantern would think of sharing it.",
    ),
    (
        "Callum Frith",
        Private(Initiating),
        25,
        "That is a good question for the table. Shall I open it, or would you rather?",
    ),
    (
        "Asha Marlow",
        Private(Invited),
        120,
        "We are glad of help up the valley. We only want people there to be asked.",
    ),
    (
        "Callum Frith",
        Notes,
        10,
        "Both want the same people to be asked. Start there next time.",
    ),
];

/// A visit that did not come about.
pub const VISIT: &[Line] = &[
    (
        "Hamish Orr",
        Private(Invited),
        30,
        "We would like to say yes, and we would like to breathe first. Two of our people are poorly.",
    ),
    (
        "Denise Adair",
        Private(Invited),
        40,
        "Then breathe. The case can rest, and nobody needs to know more than that.",
    ),
    (
        "Morag Ellery",
        Process,
        60,
        "We have noted the pause. Nothing is due while it lasts.",
    ),
];

/// Lives through a conversation, and lays down the papers that belong to it.
pub async fn talk(
    walk: &mut Walk,
    case: CaseId,
    lines: &[Line],
    papers: &[Paper],
) -> Result<(), DemoError> {
    for (who, room, later, text) in lines {
        walk.minutes(*later).await?;
        walk.say(who, case, *room, text).await?;
    }
    for (who, room, name, words) in papers {
        walk.minutes(20).await?;
        walk.lay(who, case, *room, name, words).await?;
    }
    Ok(())
}
