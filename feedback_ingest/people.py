"""Which person a text is by: the same user id, else the same e-mail, else the same name in one source."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feedback_ingest.models import Account, Alias, Person
from projects.models import Project

FREE_MAIL = frozenset(
    """gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de
    ymail.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at web.de t-online.de freenet.de proton.me
    protonmail.com mail.com mail.ru yandex.ru qq.com 163.com 126.com orange.fr free.fr laposte.net wanadoo.fr
    libero.it virgilio.it hotmail.fr hotmail.co.uk btinternet.com comcast.net verizon.net fastmail.com
    zoho.com""".split()
)

# A letter may fold into three, so that a name that fits makes a key that does not.
LONGEST_KEY = 600
LONGEST_ACCOUNT = 255

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Author:
    """What a text says of its author. `anonymous` stands for them where it says nothing."""

    user_id: str | None
    email: str | None
    name: str | None
    source: str
    anonymous: str
    account: str | None = None

    @property
    def keys(self) -> list[Key]:
        """By what they are recognised, the surest first."""
        keys = []
        if self.user_id:
            keys.append((Alias.Rule.USER_ID.value, self.user_id))
        if self.email:
            keys.append((Alias.Rule.EMAIL.value, self.email.lower()))
        if not keys and self.name:
            keys.append((Alias.Rule.AUTHOR.value, f"{self.source}:{self.name.casefold()}"[:LONGEST_KEY]))
        return keys or [(Alias.Rule.ITEM.value, self.anonymous)]

    @property
    def account_name(self) -> str | None:
        """The company: as sent, else the domain of an e-mail that is not free mail."""
        if self.account:
            return self.account[:LONGEST_ACCOUNT]
        domain = (self.email or "").rpartition("@")[2].lower()
        return domain if domain and domain not in FREE_MAIL else None


def identify(project: Project, authors: Sequence[Author]) -> dict[Author, Person]:
    """Return the person of each author, making those that are not known; call it inside a transaction."""
    wanted = list(dict.fromkeys(authors))
    aliases = _load(project, {key for author in wanted for key in author.keys})
    newcomers = [author for author in wanted if not any(key in aliases for key in author.keys)]
    if newcomers:
        _welcome(project, newcomers, aliases)
        aliases |= _load(project, {key for author in newcomers for key in author.keys})
    _learn(project, wanted, aliases)
    accounts = _accounts(project, [name for author in wanted if (name := author.account_name)])
    found = {author: _known(author, aliases) for author in wanted}
    _complete(found, accounts)
    return found


def _known(author: Author, aliases: dict[Key, Person]) -> Person:
    return next(aliases[key] for key in author.keys if key in aliases)


def _load(project: Project, keys: set[Key]) -> dict[Key, Person]:
    found: dict[Key, Person] = {}
    for rule in Alias.Rule.values:
        values = [value for kind, value in keys if kind == rule]
        if values:
            rows = Alias.objects.filter(project=project, rule=rule, key__in=values).select_related("person__account")
            found |= {(rule, row.key): row.person for row in rows}
    return found


def _welcome(project: Project, newcomers: list[Author], aliases: dict[Key, Person]) -> None:
    """Make one person for all newcomers that share a key; where somebody else was faster, theirs stays."""
    leaders: dict[Key, Key] = {}
    for author in newcomers:
        keys = author.keys
        leader = next((leaders[key] for key in keys if key in leaders), keys[0])
        leaders |= {key: leaders.get(key, leader) for key in keys}
    firsts = {author.keys[0]: author for author in newcomers}
    people = Person.objects.bulk_create(
        _new_person(project, firsts.get(leader)) for leader in dict.fromkeys(leaders.values())
    )
    by_leader = dict(zip(dict.fromkeys(leaders.values()), people, strict=True))
    _add_aliases(project, {key: by_leader[leader] for key, leader in leaders.items()})
    orphans = [person.pk for person in people]
    Person.objects.filter(pk__in=orphans, aliases=None).delete()


def _new_person(project: Project, author: Author | None) -> Person:
    person = Person(project=project, amplitude_id=secrets.randbits(48))
    if author:
        person.name, person.email, person.user_id = author.name or "", author.email, author.user_id
    return person


def _learn(project: Project, authors: Iterable[Author], aliases: dict[Key, Person]) -> None:
    """Remember the further keys that somebody known was seen with."""
    fresh = {key: _known(author, aliases) for author in authors for key in author.keys if key not in aliases}
    if fresh:
        _add_aliases(project, fresh)


def _add_aliases(project: Project, owners: dict[Key, Person]) -> None:
    Alias.objects.bulk_create(
        (Alias(project=project, person=owners[key], rule=key[0], key=key[1]) for key in sorted(owners)),
        ignore_conflicts=True,
    )


def _account_key(name: str) -> str:
    return name.lower()[:LONGEST_ACCOUNT]


def _accounts(project: Project, names: list[str]) -> dict[str, Account]:
    wanted = {_account_key(name): name for name in names}
    if not wanted:
        return {}
    known = {account.key: account for account in Account.objects.filter(project=project, key__in=list(wanted))}
    missing = sorted(set(wanted) - set(known))
    if missing:
        Account.objects.bulk_create(
            (Account(project=project, key=key, name=wanted[key]) for key in missing), ignore_conflicts=True
        )
        known |= {account.key: account for account in Account.objects.filter(project=project, key__in=missing)}
    return known


def _complete(found: dict[Author, Person], accounts: dict[str, Account]) -> None:
    """Fill in what a person's later texts tell of them; what is known already stays."""
    changed: dict[int, Person] = {}
    for author, person in found.items():
        account = accounts.get(_account_key(author.account_name or ""))
        told = {"name": author.name, "email": author.email, "user_id": author.user_id, "account": account}
        news = {field: value for field, value in told.items() if value and not getattr(person, field)}
        for field, value in news.items():
            setattr(person, field, value)
        if news:
            changed[person.pk] = person
    if changed:
        Person.objects.bulk_update([changed[pk] for pk in sorted(changed)], ["name", "email", "user_id", "account"])
