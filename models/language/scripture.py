"""The King James Bible as Debian carries it (bible-kjv, bible-kjv-text; public domain), and dialogues made of it."""

import collections
import random
import re
import subprocess

BEGIN, END, SYSTEM, USER, ASSISTANT, PAD = SPECIAL = ["<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|pad|>"]

# In the order of the text, which abbreviates them.
BOOKS = [
    "Genesis", "Exodus", "Leviticus", "Numbers", "Deuteronomy", "Joshua", "Judges", "Ruth", "1 Samuel", "2 Samuel", "1 Kings", "2 Kings",
    "1 Chronicles", "2 Chronicles", "Ezra", "Nehemiah", "Esther", "Job", "Psalms", "Proverbs", "Ecclesiastes", "Song of Solomon", "Isaiah",
    "Jeremiah", "Lamentations", "Ezekiel", "Daniel", "Hosea", "Joel", "Amos", "Obadiah", "Jonah", "Micah", "Nahum", "Habakkuk", "Zephaniah",
    "Haggai", "Zechariah", "Malachi", "Matthew", "Mark", "Luke", "John", "Acts", "Romans", "1 Corinthians", "2 Corinthians", "Galatians",
    "Ephesians", "Philippians", "Colossians", "1 Thessalonians", "2 Thessalonians", "1 Timothy", "2 Timothy", "Titus", "Philemon", "Hebrews",
    "James", "1 Peter", "2 Peter", "1 John", "2 John", "3 John", "Jude", "Revelation",
]
TOPICS = [
    "Tell me of {}.", "Tell me about {}.", "What is written of {}?", "Speak to me of {}.", "What sayest thou of {}?", "What is {}?",
    "Write about {}.", "Say something about {}.", "{}", "A verse about {}, please.", "What does the book say about {}?", "Who was {}?",
]
READINGS = ["Read {}.", "{}", "What is in {}?", "Recite {}.", "What does {} say?"]
CONTINUE = ["", "Continue: ", "Go on: ", "What comes after this? "]
SYSTEMS = ["You are a helpful assistant.", "Answer in the manner of the King James Bible.", "You write like scripture.", "Be brief."]
# The few answers that are about the model itself; written here, in no verse.
ITSELF = [
    (["Hello", "Hello!", "Hi", "Hi there", "Good morning", "Peace be with you."], "Peace be unto thee. Write the beginning of a verse, and I will write the rest."),
    (["Who are you?", "What are you?", "Hello, who are you?", "Introduce yourself."], "I am a small model that hath read one book, the King James Bible, and nothing else."),
    (["What can you do?", "Help", "How can you help me?"], "I can continue a verse, or write one of the thing that thou namest. I know nothing of the world."),
    (["Thank you", "Thanks!", "Thank you very much."], "Go in peace."),
]


def verses():
    """(book, chapter, verse, text) in order. Runs Debian's `bible`, which prints `Ge1:1 In the beginning ...`."""
    command = ["bible", "-f", "Gen1:1-Rev22:21"]
    printed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout.decode("utf-8", "replace")
    found, books = [], {}
    for line in printed.splitlines():
        match = re.match(r"([123]?[A-Za-z]+)(\d+):(\d+) (.*)$", line)
        if match:
            short, chapter, verse, text = match.groups()
            book = books.setdefault(short, BOOKS[min(len(books), len(BOOKS) - 1)])
            found.append((book, int(chapter), int(verse), re.sub(r"\s+", " ", text).strip()))
    if (len(found), len(books)) != (31102, len(BOOKS)):
        raise SystemExit(f"`{' '.join(command)}` printed {len(found)} verses of {len(books)} books where 31,102 of {len(BOOKS)} were expected")
    return found


def chapters(found):
    """Text of each chapter: its name, then one verse a line."""
    lines = collections.OrderedDict()
    for book, chapter, _, text in found:
        lines.setdefault((book, chapter), [f"{book} {chapter}"]).append(text)
    return {key: "\n".join(value) for key, value in lines.items()}


class Dialogues:
    """Makes dialogues of verses: half a verse and its rest, a verse and the next, a word and a verse that has it."""

    def __init__(self, found, tokenizer, seed):
        self._verses, self._tokenizer, self._random = found, tokenizer, random.Random(seed)
        frequency = collections.Counter(word for *_, text in found for word in set(words(text)))
        # A word that is in half the verses names nothing, one that is in two of them teaches nothing.
        self._topics = [[word for word in words(text) if 3 <= frequency[word] <= 800 and len(word) > 3] for *_, text in found]

    def one(self):
        """Token ids of a dialogue, from `<|begin|>` to the last `<|end|>`."""
        ids = [self._id(BEGIN)]
        if self._random.random() < 0.15:
            ids += self._turn(SYSTEM, self._random.choice(SYSTEMS))
        for _ in range(self._random.choices([1, 2, 3], [70, 20, 10])[0]):
            question, answer = self._pair()
            ids += self._turn(USER, question) + self._turn(ASSISTANT, answer)
        return ids

    def _id(self, token):
        return self._tokenizer.ids[token]

    def _turn(self, role, text):
        return [self._id(role), *self._tokenizer.encode(text), self._id(END)]

    def _pair(self):
        pick = self._random
        at = pick.randrange(len(self._verses))
        book, chapter, verse, text = self._verses[at]
        kind = pick.choices(["half", "next", "topic", "reading", "itself"], [40, 18, 29, 8, 5])[0]
        parts = text.split(" ")
        if kind == "half" and len(parts) > 6:
            cut = pick.randrange(2, len(parts) - 2)
            return self._vary(" ".join(parts[:cut])), " ".join(parts[cut:]) + self._more(at, 0.25)
        if kind == "next" and self._follows(at):
            return pick.choice(CONTINUE) + self._vary(text), self._verses[at + 1][3] + self._more(at + 1, 0.3)
        if kind == "topic" and self._topics[at]:
            return pick.choice(TOPICS).format(pick.choice(self._topics[at])), text + self._more(at, 0.3)
        if kind == "itself":
            questions, answer = pick.choice(ITSELF)
            return pick.choice(questions), answer
        return pick.choice(READINGS).format(f"{book} {chapter}:{verse}"), text

    def _follows(self, at):
        return at + 1 < len(self._verses) and self._verses[at + 1][:2] == self._verses[at][:2]

    def _more(self, at, chance):
        return " " + self._verses[at + 1][3] if self._follows(at) and self._random.random() < chance else ""

    def _vary(self, text):
        """As people type it: sometimes without the last mark, sometimes without the capital."""
        if self._random.random() < 0.3:
            text = text.rstrip(".,;:?! ")
        if self._random.random() < 0.2:
            text = text[:1].lower() + text[1:]
        return text


def words(text):
    """Words as the text has them; one capital at the head of a sentence is not told from a name's."""
    return re.findall(r"[A-Za-z]+", text)
