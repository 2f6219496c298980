import pickle

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from anomaly_train import AnomalyMLClassifier, generate
from anomaly_train.sklearn import AnomalySequenceClassifier, NormalOnlyDetector


@pytest.fixture(scope="module")
def data():
    samples = generate(800, "mixed", seed=11)
    X = [sample["features"]["sequence"] for sample in samples]
    return X, np.array([sample["label"] for sample in samples]), np.array([f"t{index % 8}" for index in range(800)])


def test_it_is_the_classifier_of_the_module(data):
    X, y, groups = data
    fitted = AnomalySequenceClassifier().fit(X, y, groups=groups)
    plain = AnomalyMLClassifier().train((X, y), groups=groups)
    assert fitted.digest_ == plain.digest
    assert fitted.predict_proba(X)[:, 1].tolist() == [plain.predict(x)["score"] for x in X]
    assert fitted.predict(X).tolist() == [plain.predict(x)["label"] for x in X]


def test_it_keeps_to_the_conventions(data):
    X, y, _ = data
    classifier = AnomalySequenceClassifier(ngram_size=2, seed=5)
    assert clone(classifier).get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        classifier.predict(X)
    before = dict(vars(classifier))
    fitted = classifier.fit(X, y)
    assert fitted is classifier and before == {name: value for name, value in vars(fitted).items() if not name.endswith("_")}
    p = classifier.predict_proba(X)
    assert p.shape == (len(X), 2) and np.allclose(p.sum(axis=1), 1) and classifier.classes_.tolist() == [0, 1]
    decision = classifier.decision_function(X)
    assert ((decision >= 0) == (classifier.predict(X) == 1)).all()
    assert roc_auc_score(y, decision) == roc_auc_score(y, p[:, 1]) > 0.8
    assert 0 < classifier.score(X, y) <= 1
    again = clone(classifier).fit(X, y)
    assert (again.predict_proba(X) == p).all()
    objects = np.empty(len(X), dtype=object)
    objects[:] = X
    for shape in (objects, objects[:, None], tuple(X)):
        assert (clone(classifier).fit(shape, y).predict_proba(shape) == p).all()
    with pytest.raises(ValueError, match="799 labels for 800 samples"):
        clone(classifier).fit(X, y[1:])
    with pytest.raises(ValueError, match="1d array"):
        clone(classifier).fit(X, y[:, None])
    with pytest.raises(ValueError, match="None"):
        clone(classifier).fit(X, None)
    assert classifier.predict_proba([[]])[0, 1] == pytest.approx(y.mean()) and classifier.predict([[]]).tolist() == [0]


@pytest.mark.parametrize(("anomalous", "normal"), [("attack", "ok"), ("bad", "good")])
def test_other_labels_need_to_be_told_and_their_order_does_not_matter(data, anomalous, normal):
    X, y, _ = data
    names = np.where(y == 1, anomalous, normal)
    with pytest.raises(ValueError, match="anomalous_label= says which"):
        AnomalySequenceClassifier().fit(X, names)
    with pytest.raises(ValueError, match="no sample has the anomalous_label"):
        AnomalySequenceClassifier(anomalous_label="other").fit(X, names)
    with pytest.raises(ValueError, match="anomalous_label="):
        AnomalySequenceClassifier().fit(X, y.astype(bool))
    named = AnomalySequenceClassifier(anomalous_label=anomalous).fit(X, names)
    plain = AnomalySequenceClassifier().fit(X, y)
    assert named.digest_ == plain.digest_ and named.classes_.tolist() == sorted([anomalous, normal])
    assert (named.predict(X) == np.where(plain.predict(X) == 1, anomalous, normal)).all()
    place = named.classes_.tolist().index(anomalous)
    assert (named.predict_proba(X)[:, place] == plain.predict_proba(X)[:, 1]).all()
    differs = named.decision_function(X) != 0
    assert ((named.decision_function(X) > 0) == (named.predict(X) == named.classes_[1]))[differs].all()
    assert cross_val_score(named, X, names, scoring="roc_auc", cv=3).mean() > 0.7


def test_groups_are_kept_apart_in_cross_validation(data):
    X, y, groups = data
    scores = cross_val_score(
        AnomalySequenceClassifier(), X, y, groups=groups, cv=GroupKFold(4), scoring="roc_auc", params={"groups": groups}
    )
    assert len(scores) == 4 and scores.min() > 0.7
    assert cross_val_predict(AnomalySequenceClassifier(), X, y, cv=3, method="predict_proba").shape == (800, 2)


def test_it_is_searched_piped_and_calibrated(data):
    X, y, _ = data
    search = GridSearchCV(AnomalySequenceClassifier(), {"ngram_size": [1, 3], "l2": [None, 4.0]}, cv=3, scoring="average_precision").fit(
        X, y
    )
    assert search.best_params_["ngram_size"] == 3
    shortened = make_pipeline(FunctionTransformer(lambda X: [x[:20] for x in X]), AnomalySequenceClassifier())
    assert cross_val_score(shortened, X, y, cv=3).mean() > 0.6
    calibrated = CalibratedClassifierCV(AnomalySequenceClassifier(), cv=3).fit(X, y)
    assert roc_auc_score(y, calibrated.predict_proba(X)[:, 1]) > 0.8


def test_pickles_and_other_processes_score_the_same(data):
    X, y, _ = data
    fitted = AnomalySequenceClassifier().fit(X, y)
    expected = fitted.predict_proba(X)
    assert (pickle.loads(pickle.dumps(fitted)).predict_proba(X) == expected).all()
    halves = joblib.Parallel(n_jobs=2)(joblib.delayed(fitted.predict_proba)(half) for half in (X[:400], X[400:]))
    assert (np.vstack(halves) == expected).all()
    assert len(cross_val_score(AnomalySequenceClassifier(), X, y, cv=3, n_jobs=2)) == 3


def test_one_class_alone_is_learned_as_the_command_does(data):
    X, y, _ = data
    fitted = AnomalySequenceClassifier().fit(X, np.zeros_like(y))
    assert fitted.classes_.tolist() == [0, 1] and set(fitted.predict(X)) <= {0, 1}


def test_the_normal_only_detector_has_the_names_of_pyod(data):
    X, y, _groups = data
    normal = [x for x, label in zip(X, y) if label == 0]
    detector = NormalOnlyDetector(contamination=0.05).fit(normal)
    assert detector.decision_scores_.shape == (len(normal),) and set(detector.labels_) <= {0, 1} and detector.threshold_ == 0.95
    scores, labels = detector.decision_function(X), detector.predict(X)
    assert ((scores >= detector.threshold_) == (labels == 1)).all()
    assert roc_auc_score(y, detector.surprise(X)) > 0.7 and detector.predict_proba(X).shape == (len(X), 2)
    assert (pickle.loads(pickle.dumps(detector)).decision_function(X) == scores).all()
    assert clone(detector).get_params()["contamination"] == 0.05
    assert (clone(detector).fit_predict(normal) == detector.labels_).all()
    plain = AnomalyMLClassifier(anomaly_threshold="false-alarms=0.05", normal_only=True, n=4).train(
        [{"sequence": x, "label": 0} for x in normal]
    )
    assert plain.digest == detector.digest_
