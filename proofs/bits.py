"""Proves the axioms about words and bits that contracts use (proofs/bits.h, and those that hw/fields.py writes for each field).

Each is read from the very text that Frama-C reads, and given to z3 as a statement about bit vectors: `bits` and `put` with their
meaning, integers as vectors of 80 bits. That is exact: every variable is bounded by the axiom (a word, or a number up to 64), and
nothing that is computed from them reaches 2^80 or falls below 0.
"""
import re
import subprocess

WIDTH = 80
MEANING = f"""(set-logic QF_BV)
(define-sort N () (_ BitVec {WIDTH}))
(define-fun low ((n N)) N (bvsub (bvshl (_ bv1 {WIDTH}) n) (_ bv1 {WIDTH})))
(define-fun width ((hi N) (lo N)) N (bvadd (bvsub hi lo) (_ bv1 {WIDTH})))
(define-fun bits ((w N) (hi N) (lo N)) N (bvand (bvlshr w lo) (low (width hi lo))))
(define-fun put ((w N) (hi N) (lo N) (v N) (s N)) N
  (bvor (bvand w (bvnot (bvshl (low (width hi lo)) lo))) (bvshl (bvand (bvlshr v s) (low (width hi lo))) lo)))
(define-fun bit ((w N) (i N)) Bool (= (bvand (bvlshr w i) (_ bv1 {WIDTH})) (_ bv1 {WIDTH})))
(define-fun piece ((w N) (from N) (n N)) N (bvand (bvlshr w from) (low n)))
(define-fun aligned ((w N) (n N)) Bool (= (bvand w (low n)) (_ bv0 {WIDTH})))
(define-fun shl ((v N) (n N)) N (bvshl v n))
(define-fun pow2 ((n N)) N (bvshl (_ bv1 {WIDTH}) n))
(define-fun word ((w N)) Bool (bvule w #x{(1 << 64) - 1:0{WIDTH // 4}x}))
"""
LEVELS = [["==>"], ["<==>"], ["||"], ["&&"], ["==", "!=", "<=", "<", ">=", ">"], ["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "%"]]
SMT = {"==>": "=>", "<==>": "=", "||": "or", "&&": "and", "==": "=", "<=": "bvule", "<": "bvult", ">=": "bvuge", ">": "bvugt",
       "|": "bvor", "^": "bvxor", "&": "bvand", "<<": "bvshl", ">>": "bvlshr", "+": "bvadd", "-": "bvsub", "*": "bvmul", "%": "bvurem"}
RELATIONS = LEVELS[4]


class Reader:
    def __init__(self, text: str):
        self.tokens = re.findall(r"0x[0-9a-f]+(?=ull)|0x[0-9a-f]+|\d+|<==>|==>|<=|>=|==|!=|<<|>>|&&|\|\||[-+*%<>&|^!~(),]|\w+",
                                 re.sub(r"(0x[0-9a-f]+)ull", r"\1", text))
        self.at = 0

    def next(self, wanted: str | None = None) -> str:
        token = self.tokens[self.at]
        assert wanted in (None, token), f"{wanted} expected, not {token}"
        self.at += 1
        return token

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def level(self, n: int) -> str:
        if n == len(LEVELS):
            return self.atom()
        left = self.level(n + 1)
        if LEVELS[n] == RELATIONS:  # a <= b <= c
            parts = []
            while self.peek() in RELATIONS:
                op, right = self.next(), self.level(n + 1)
                parts.append(f"(not (= {left} {right}))" if op == "!=" else f"({SMT[op]} {left} {right})")
                left = right
            return left if not parts else parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})"
        while self.peek() in LEVELS[n]:
            op = self.next()
            left = f"({SMT[op]} {left} {self.level(n if op == '==>' else n + 1)})"
        return left

    def atom(self) -> str:
        token = self.next()
        if token == "(":
            if self.peek() in ("uint64_t", "uint32_t"):
                size = int(self.next()[4:6])
                self.next(")")
                return f"(bvand {self.atom()} (_ bv{(1 << size) - 1} {WIDTH}))"
            inner = self.level(0)
            self.next(")")
            return inner
        if token == "!":
            return f"(not {self.atom()})"
        if token == "~":  # of a word
            return f"(bvxor {self.atom()} (_ bv{(1 << 64) - 1} {WIDTH}))"
        if token[0].isdigit():
            return f"(_ bv{int(token, 0)} {WIDTH})"
        if self.peek() == "(":
            self.next()
            arguments = [self.level(0)]
            while self.peek() == ",":
                self.next()
                arguments.append(self.level(0))
            self.next(")")
            return f"({token} {' '.join(arguments)})"
        return token


def axioms(text: str) -> list[tuple[str, str]]:
    return re.findall(r"\baxiom (\w+):(.*?);(?=\s*(?:axiom|\}))", text, re.S)


def prove(text: str, seconds: int) -> list[tuple[str, bool]]:
    """The axioms of this text, and whether each was proved."""
    names, query = [], [MEANING]
    for name, body in axioms(text):
        found = re.match(r"\s*\\forall integer ([\w, ]+);(.*)", body, re.S)
        assert found, f"{name}: not of the form that is understood"
        reader = Reader(found.group(2))
        statement = reader.level(0)
        assert reader.at == len(reader.tokens), f"{name}: {reader.peek()} not expected"
        query.append("(push)" + "".join(f"(declare-const {v.strip()} N)" for v in found.group(1).split(",")))
        query.append(f"(assert (not {statement}))(check-sat)(pop)")
        names.append(name)
    done = subprocess.run(["z3", "-in", f"-T:{seconds}"], input="\n".join(query), capture_output=True, text=True)
    answers = done.stdout.split("\n")
    return [(name, i < len(answers) and answers[i] == "unsat") for i, name in enumerate(names)]
